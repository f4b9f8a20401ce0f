"""The small picture that a camera puts in front of its photo, found without reading the photo."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from core.image import HEADER_BYTES, sniff

_HEAD_BYTES = 2**16  # the EXIF block, whose 64 KB hold the preview, is a JPEG's first or second
_FEWEST_BYTES = 2**18  # of a file: a smaller one is decoded as quickly
_SHORTEST_SIDE = 96  # pixels; Exif 2.32 has 160 x 120
_ASPECT_GAP = 0.02  # of width over height; with bars on it, a preview is another picture
_END = b"\xff\xd9"
_JPEG = 6  # Compression, Exif 2.32, table 4
# what cameras write into Software is the number of their own; editors write their names
_EDITORS = (
    *("photoshop", "lightroom", "gimp", "paint", "capture one", "affinity", "darktable"),
    *("rawtherapee", "snapseed", "picasa", "acdsee", "luminar", "pixelmator", "photos", "canva"),
    *("irfanview", "xnview", "faststone", "imagemagick", "photoscape", "vsco", "digikam", "krita"),
    *("pillow", "instagram", "facetune", "picsart", "editor", "exiftool", "shotwell"),
)


def read_preview(photo: Path) -> Image.Image | None:
    """Read the preview in a camera's JPEG, RGB and upright; two reads, of 64 KB and 2 bytes.

    None if there is none, or if it may not be of this photo: its shape is another, an editor has
    had the photo or changed its date, or the file has no end.
    """
    try:
        with photo.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _FEWEST_BYTES:
                return None
            head = file.read(_HEAD_BYTES)
            if sniff(head[:HEADER_BYTES]) != "JPEG":
                return None
            file.seek(-len(_END), io.SEEK_END)
            if file.read() != _END:
                return None
        return _preview_in(head)
    except Exception:  # whatever Pillow stumbles over; decoding the photo will tell what it is
        return None


def _preview_in(head: bytes) -> Image.Image | None:
    with Image.open(io.BytesIO(head), formats=("JPEG",)) as photo:
        exif, block, (width, height) = photo.getexif(), photo.info["exif"], photo.size
    if _edited(exif, (width, height)):
        return None
    where = exif.get_ifd(ExifTags.IFD.IFD1)
    if where.get(ExifTags.Base.Compression) != _JPEG:
        return None
    start = block.index(b"\0\0") + 2 + where[ExifTags.Base.JpegIFOffset]
    content = block[start : start + where[ExifTags.Base.JpegIFByteCount]]
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as preview:
        if min(preview.size) < _SHORTEST_SIDE or max(preview.size) > max(width, height):
            return None
        aspect = preview.width / preview.height
        if abs(aspect * height / width - 1) > _ASPECT_GAP:
            return None
        preview.getexif()[ExifTags.Base.Orientation] = exif.get(ExifTags.Base.Orientation, 1)
        return ImageOps.exif_transpose(preview).convert("RGB")


def _edited(exif: Image.Exif, size: tuple[int, int]) -> bool:
    """Tell whether what EXIF says of the photo does not fit a photo just as it was taken."""
    software = str(exif.get(ExifTags.Base.Software, "")).casefold()
    if any(name in software for name in _EDITORS):
        return True
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    changed, taken = exif.get(ExifTags.Base.DateTime), camera.get(ExifTags.Base.DateTimeOriginal)
    if changed and taken and changed != taken:
        return True
    stated = (
        camera.get(ExifTags.Base.ExifImageWidth, size[0]),
        camera.get(ExifTags.Base.ExifImageHeight, size[1]),
    )
    return stated != size
