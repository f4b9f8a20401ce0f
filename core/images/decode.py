"""From a path or bytes to an upright RGB image, or a reason why not."""

from __future__ import annotations

import io
import stat
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import UnreadableCode, UnreadableImage
from core.paths import display

# The limits here are checked before anything is decoded, and hold for every format alike, so
# Pillow's own (a warning at 89 megapixels, an error at 179) only gets in the way of phones that
# take 200-megapixel JPEGs.
Image.MAX_IMAGE_PIXELS = None

MAX_BYTES = 256 * 2**20
MAX_STATED_PIXELS = 250_000_000
MAX_DECODED_PIXELS = 100_000_000  # after a JPEG's draft(), which decodes at 1/2 to 1/8

_LARGE_PIXELS = 16_000_000  # decoded; one such image at a time, whoever asks
_one_large = threading.Lock()

# gives a photo, RGB and upright; a side under so many pixels was so from the start
Opener = Callable[[int], Image.Image]

HEADER_BYTES = 32
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes; a text may begin with BM, too
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_BOXES = (b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"mpvd")  # outermost
_KNOWN_BUT_UNSUPPORTED = {
    b"8BPS": "a Photoshop document",
    b"%PDF": "a PDF",
    b"\xff\x0a": "a JPEG XL image",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL image",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 image",
    b"FUJIFILM": "a raw photo",
    b"<svg": "an SVG drawing",
}


def sniff(header: bytes) -> str | None:
    """Name the image format that a file's first 32 bytes announce, if it is one we decode."""
    if header.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if header.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "WEBP"
    if header[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if header[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if header[:2] == b"BM" and int.from_bytes(header[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if header[4:8] == b"ftyp":
        brands = {header[start : start + 4] for start in range(8, len(header), 4)}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & set(_HEIF_BRANDS):
            return "HEIF"
    return None


def end_of_boxes(file: BinaryIO) -> int:
    """Compute where the boxes of a HEIC end, beyond the file's end if it was cut.

    ISO/IEC 14496-12, 4.2. What makers put behind the boxes (Samsung does) is no box.
    """
    end = file.seek(0, io.SEEK_END)
    at = 0
    while at < end:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        if length == 1:  # more than 32 bits
            length = int.from_bytes(head[8:])
        elif length == 0:  # the rest of the file
            length = end - at
        if head[4:8] not in _BOXES or length < 8:
            break
        at += length
    return at


def read_photo(path: Path) -> bytes:
    """Read a photo's file whole. Raises UnreadableImage."""
    shown = display(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would block for ever
            raise UnreadableImage(
                UnreadableCode.NOT_AN_IMAGE, f"{shown} is not a file. Name a photo instead."
            )
        _check_bytes(status.st_size, shown)
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableImage(
            UnreadableCode.VANISHED, f"{shown} is not there (any more). Check the path."
        ) from error
    except PermissionError as error:
        raise UnreadableImage(
            UnreadableCode.NO_PERMISSION,
            f"{shown} may not be read by this user. Change its permissions.",
        ) from error
    except OSError as error:
        raise UnreadableImage(
            UnreadableCode.IO_ERROR,
            f"{shown} cannot be read ({error.strerror or error}). Check the disk or the "
            "network, then try again.",
        ) from error


def open_image(
    source: Path | bytes,
    *,
    min_side: int,
    name: str | None = None,
    max_pixels: int = MAX_DECODED_PIXELS,
) -> Image.Image:
    """Decode a photo in full and turn it upright.

    A JPEG may come back at 1/2, 1/4 or 1/8 of its size, never with a side under `min_side`
    pixels that was not so already. Of animations the first frame is taken; what is transparent
    becomes white. `name` stands for bytes in error messages; more than `max_pixels` to decode
    are refused. That takes up to 8 bytes a pixel (measured: PNG with transparency), so of images
    over 16 megapixels one is decoded at a time.

    Raises UnreadableImage.
    """
    if isinstance(source, bytes):
        return _decode(source, name or "the image", min_side, max_pixels)
    return _decode(read_photo(source), display(source), min_side, max_pixels)


def opener(
    source: Path | bytes, *, name: str | None = None, max_pixels: int = MAX_DECODED_PIXELS
) -> Opener:
    """Read a photo once, to be decoded as `open_image` does, as large as a look at it needs.

    Raises UnreadableImage, as what it returns does.
    """
    if isinstance(source, Path):
        name, source = display(source), read_photo(source)
    content = source
    return lambda side: open_image(content, min_side=side, name=name, max_pixels=max_pixels)


def _check_bytes(size: int, shown: str) -> None:
    if size == 0:
        raise UnreadableImage(
            UnreadableCode.EMPTY, f"{shown} is empty (0 bytes). Copy it again from the camera."
        )
    if size > MAX_BYTES:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE,
            f"{shown} has {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB that are "
            "read. Save it smaller.",
        )


def _decode(content: bytes, shown: str, min_side: int, max_pixels: int) -> Image.Image:
    _check_bytes(len(content), shown)
    header = content[:HEADER_BYTES]
    announced = sniff(header)
    if announced is None:
        raise _not_decodable(header, shown)
    if announced == "HEIF":
        register_heif()
        if end_of_boxes(io.BytesIO(content)) > len(content):  # its decoder would fill up the rest
            raise UnreadableImage(
                UnreadableCode.TRUNCATED,
                f"{shown} ends early. Copy it again from the camera.",
            )
    try:
        image = Image.open(io.BytesIO(content), formats=(announced,))
        _check_pixels(image, MAX_STATED_PIXELS, shown)
        if image.format in ("JPEG", "MPO"):
            image.draft("RGB", (min_side, min_side))
        _check_pixels(image, max_pixels, shown)
        is_large = image.width * image.height > _LARGE_PIXELS
        with _one_large if is_large else nullcontext():
            image.load()
            return _to_rgb(_upright(image))
    except UnreadableImage:
        raise
    except MemoryError as error:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE, f"{shown} does not fit into memory. Save it smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableImage(
            UnreadableCode.TRUNCATED,
            f"{shown} starts like a {announced} file but ends early or is damaged. Copy it again "
            "from the camera.",
        ) from error
    except Exception as error:  # Pillow's decoders raise whatever the bytes made them trip over
        raise UnreadableImage(
            UnreadableCode.TRUNCATED,
            f"{shown} ends early or is damaged ({announced}: {error}). Copy it again from the "
            "camera.",
        ) from error


def _not_decodable(header: bytes, shown: str) -> UnreadableImage:
    for start, what in _KNOWN_BUT_UNSUPPORTED.items():
        if header.startswith(start):
            return UnreadableImage(
                UnreadableCode.UNSUPPORTED,
                f"{shown} is {what}, which catdog does not read. Save it as JPEG.",
            )
    return UnreadableImage(
        UnreadableCode.NOT_AN_IMAGE,
        f"{shown} is not an image, whatever its name says. Take it out of the photos.",
    )


def _check_pixels(image: Image.Image, limit: int, shown: str) -> None:
    pixels = image.width * image.height
    if pixels > limit:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE,
            f"{shown} has {image.width} x {image.height} pixels, more than the "
            f"{limit // 1_000_000} megapixels that are decoded. Save it smaller.",
        )


def register_heif() -> None:
    """Teach Pillow HEIC and its kin."""
    from pillow_heif import register_heif_opener  # 70 ms that only HEIC photos pay

    register_heif_opener()


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # a broken EXIF block does not make the pixels unreadable
        ImageOps.exif_transpose(image, in_place=True)  # a copy would double the memory
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_from_wide(image)
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba)
        return ground
    return image.convert("RGB")


def _grey_from_wide(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float greys to 8 bits; convert() would clip them to white."""
    values = np.asarray(image).astype(np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = 0.0, 65535.0
    if image.mode == "F" or values.min() < low or values.max() > high:
        low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(scaled.round().astype(np.uint8), mode="L").convert("RGB")
