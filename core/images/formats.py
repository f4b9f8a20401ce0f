"""Which image formats are read, and the format of a file by its first bytes and its name."""

from __future__ import annotations

import os
import re

HEADER_BYTES = 4096  # an SVG's tag may stand behind comments

CAMERA_FORMATS = frozenset(
    {"JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF", "JXL", "JPEG2000"}
)
CAMERA_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".jps", ".mpo", ".png", ".apng"}
    | {".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heics", ".heif", ".hif"}
    | {".avif", ".avifs", ".jxl", ".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"}
)
RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".gpr", ".iiq", ".kdc", ".mrw", ".nef"}
    | {".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srw", ".x3f"}
)
OTHER_SUFFIXES = frozenset(
    {".psd", ".tga", ".icb", ".vda", ".vst", ".ico", ".pcx"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm"}
)
DECODED_SUFFIXES = CAMERA_SUFFIXES | RAW_SUFFIXES | OTHER_SUFFIXES
# what browsers and copies put behind a suffix: x.jpg_large, IMG.jpg (1)
_BEHIND = re.compile(r"(?:_large|_orig|_small| ?\(\d{1,4}\))$", re.IGNORECASE)

_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes; a text may begin with BM, too
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
    | {b"mif2"}
)
_FILM_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"3gp", b"dash")
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\xff\x0a": "JXL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JXL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"8BPS\0\1": "PSD",
}
_NAMED = {
    b"8BPS": "a large Photoshop document",
    b"%PDF": "a PDF",
    b"%!PS": "a PostScript drawing",
    b"\xc5\xd0\xd3\xc6": "a PostScript drawing",
    b"BPG\xfb": "a BPG image",
    b"FLIF": "a FLIF image",
    b"II\xbc": "a JPEG XR image",
    b"\x76\x2f\x31\x01": "an OpenEXR image",
    b"#?RADIANCE": "a Radiance image",
    b"#?RGBE": "a Radiance image",
    b"gimp xcf": "a GIMP document",
    b"DDS ": "a DDS texture",
    b"SIMPLE  =": "a FITS image",
    b"\xd7\xcd\xc6\x9a": "a Windows metafile",
    b"\x8aMNG": "an MNG animation",
    b"\x8bJNG": "a JNG image",
}
_SVG = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)", re.IGNORECASE)


def suffix_of(name: str) -> str:
    """Return a file's suffix in lower case, whatever a browser put behind it."""
    suffix = os.path.splitext(name)[1].lower()
    if suffix in CAMERA_SUFFIXES or not _BEHIND.search(name):
        return suffix
    return os.path.splitext(_BEHIND.sub("", name))[1].lower()


def sniff(header: bytes, name: str | None = None) -> str | None:
    """Return the format that a file begins like, as Pillow calls it, if it is one that is decoded.

    `header` is its first 32 bytes or more. Some formats begin with hardly anything of their own:
    those count only if `name`, where one is given, has an image's suffix.
    """
    for start, format_name in _STARTS.items():
        if header.startswith(start):
            return format_name
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "WEBP"
    if header[:2] == b"BM" and int.from_bytes(header[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if header[4:8] == b"ftyp":
        length = min(max(int.from_bytes(header[:4]), 16), 256, len(header))
        brands = {header[start : start + 4] for start in (8, *range(16, length - 3, 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if brands & _HEIF_BRANDS else None
    return _weakly_announced(header, name)


def _weakly_announced(header: bytes, name: str | None) -> str | None:
    suffix = suffix_of(name) if name is not None else None
    if suffix is not None and suffix not in DECODED_SUFFIXES:
        return None
    if header[:4] == b"\0\0\1\0" and header[4:6] != b"\0\0":
        return "ICO"
    if header[:1] == b"P" and header[1:2] in b"123456fF" and header[2:3].isspace():
        return "PPM"
    if header[:1] == b"\x0a" and header[1:2] in b"\0\2\3\4\5" and header[2:3] == b"\1":
        return "PCX"
    return "TGA" if suffix in (".tga", ".icb", ".vda", ".vst") else None


def named(header: bytes) -> str | None:
    """Return in words what a picture or a film is of a kind that is not decoded."""
    for start, what in _NAMED.items():
        if header.startswith(start):
            return what
    if header[4:8] == b"ftyp":
        return "a film" if header[8:12].startswith(_FILM_BRANDS) else "a film, or an unknown HEIF"
    if _SVG.match(header) and b"<svg" in header[:HEADER_BYTES].lower():
        return "an SVG drawing"
    if header[128:132] == b"DICM":
        return "a DICOM image"
    return None
