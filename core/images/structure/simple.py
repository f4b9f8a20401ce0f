"""Formats that state all in a header: BMP, ICO, and those whose header Pillow reads."""

from __future__ import annotations

import re

from PIL import Image, UnidentifiedImageError

from core.images.structure.base import Source, Structure, cut, pixels_bytes, too_much, unsupported
from core.images.structure.png import SIGNATURE

_BYTES_A_PIXEL, _WIDE_BYTES_A_PIXEL = 7.5, 12.5  # measured
_ICON_BYTES_A_PIXEL = 13.5
_ICONS = 64
_MOST_RESOURCES = 100_000  # in a Photoshop document: Pillow reads them one by one
# A PPM in text, or of other than 8 bits, is decoded in Python
_SLOW_PPM = re.compile(rb"P(?:[123]|[56]\s(?:\s|#[^\n]*\n)*\d+\s+\d+\s+(?!255\s|65535\s)\d+\s)")
_MOST_SLOW = 3_000_000  # pixels: 5 s
_RUN_LENGTHS = frozenset({1, 2})  # a BMP's compressions RLE8 and RLE4
_MOST_RUN_LENGTHS = 4_000_000  # bytes of such data, and pixels: Pillow decodes them in Python


def walk_simple(source: Source, announced: str) -> Structure:
    """Read what a PSD, PCX, PPM or TGA says of its size. Raises Refusal."""
    if announced == "PSD":
        _check_resources(source)
    source.file.seek(0)
    try:
        with Image.open(source.file, formats=(announced,)) as image:
            (width, height), mode = image.size, image.mode
    except UnidentifiedImageError:
        raise unsupported(f"a rare kind of {announced} file") from None
    except Exception as error:  # whatever the bytes made Pillow trip over
        raise cut(f"{announced}: {error}") from error
    is_slow = announced == "PPM" and _SLOW_PPM.match(source.up_to(0, 512))
    if is_slow and width * height > _MOST_SLOW:
        raise too_much(f"has {width} x {height} pixels of a kind that takes long to decode")
    a_pixel = _WIDE_BYTES_A_PIXEL if mode in ("I", "I;16", "F") else _BYTES_A_PIXEL
    return Structure(width, height, pixels_bytes(width, height, a_pixel))


def walk_bmp(source: Source) -> Structure:
    """Read a BMP's header (Microsoft), and compare the file's size with it. Raises Refusal."""
    start, header = (source.number(at, 4, "little") for at in (10, 14))
    if header == 12:
        width, height, depth = (source.number(at, 2, "little") for at in (18, 20, 24))
        compression = 0
    else:
        width, height = _signed_sides(source, 18)
        depth = source.number(28, 2, "little")
        compression = source.number(30, 4, "little")
    structure = Structure(width, height, pixels_bytes(width, height, 5.5 if depth <= 8 else 8.5))
    if compression in _RUN_LENGTHS:
        if max(source.size - start, width * height) > _MOST_RUN_LENGTHS:
            raise too_much(
                f"has {width} x {height} pixels in run lengths, of which no more than "
                f"{_MOST_RUN_LENGTHS // 1_000_000} megapixels are decoded"
            )
    elif start + (width * depth + 31) // 32 * 4 * height > source.size:
        raise cut("it is shorter than its pixels")
    return structure


def walk_ico(source: Source) -> Structure:
    """Read an icon's directory, and how large the images in it are. Raises Refusal."""
    width = height = 1
    for index in range(min(source.number(4, 2, "little"), _ICONS)):
        length, offset = (source.number(6 + 16 * index + at, 4, "little") for at in (8, 12))
        if offset + length > source.size or length < 24:
            raise cut("one of its images is not whole")
        if source.at(offset, 8) == SIGNATURE:
            wide, high = source.number(offset + 16, 4), source.number(offset + 20, 4)
        else:
            wide, high = _signed_sides(source, offset + 4)
            wide, high = abs(wide), high // 2
        width, height = max(width, wide), max(height, high)
    return Structure(width, height, pixels_bytes(width, height, _ICON_BYTES_A_PIXEL))


def _signed_sides(source: Source, at: int) -> tuple[int, int]:
    """Read width and height of a bitmap; the height is negative in one from top to bottom."""
    width, height = (
        int.from_bytes(source.at(offset, 4), "little", signed=True) for offset in (at, at + 4)
    )
    return width, abs(height)


def _check_resources(source: Source) -> None:
    """Raise Refusal for a Photoshop document with very many image resources."""
    at = 26 + 4 + source.number(26, 4)
    end = at + 4 + source.number(at, 4)
    at += 4
    for _ in range(_MOST_RESOURCES):
        if at + 12 > end:
            return
        at += 6 + (source.number(at + 6, 1) | 1) + 1  # a name, made even with its length
        length = source.number(at, 4)
        at += 4 + length + (length & 1)
    raise too_much(f"has more than {_MOST_RESOURCES} resources")
