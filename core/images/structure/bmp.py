"""The header of a BMP (Microsoft, BITMAPINFOHEADER and its kin)."""

from __future__ import annotations

from typing import BinaryIO

from core.images.structure.base import (
    Structure,
    cut,
    pixels_bytes,
    read_at,
    size_of,
    too_much,
)

_RUN_LENGTHS = frozenset({1, 2})  # compressions: RLE8, RLE4
_MOST_RUN_LENGTHS = 4_000_000  # bytes of such data, and pixels: Pillow decodes them in Python


def walk_bmp(file: BinaryIO) -> Structure:
    """Read a BMP's header, and compare the file's size with it. Raises Refusal."""
    size = size_of(file)
    head = read_at(file, 0, 26)
    start, header = (int.from_bytes(head[at : at + 4], "little") for at in (10, 14))
    if header == 12:
        width, height, depth = (int.from_bytes(head[at : at + 2], "little") for at in (18, 20, 24))
        compression = 0
    else:
        head = read_at(file, 0, 34)
        width, height = (
            int.from_bytes(head[at : at + 4], "little", signed=True) for at in (18, 22)
        )
        depth = int.from_bytes(head[28:30], "little")
        compression = int.from_bytes(head[30:34], "little")
    height = abs(height)
    structure = Structure(width, height, pixels_bytes(width, height, 5.5 if depth <= 8 else 8.5))
    if compression in _RUN_LENGTHS:
        if max(size - start, width * height) > _MOST_RUN_LENGTHS:
            raise too_much(
                f"has {width} x {height} pixels in run lengths, of which no more than "
                f"{_MOST_RUN_LENGTHS // 1_000_000} megapixels are decoded"
            )
    elif start + (width * depth + 31) // 32 * 4 * height > size:
        raise cut("it is shorter than its pixels")
    return structure
