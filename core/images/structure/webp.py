"""The chunks of a WebP (RFC 9649)."""

from __future__ import annotations

from typing import BinaryIO

from core.images.structure.base import (
    Structure,
    cut,
    pixels_bytes,
    read_at,
    size_of,
    too_much,
    zeros_before,
)

_MOST_CHUNKS = 100_000
_LOSSY, _OTHERS = 16.4, 17.4  # bytes a pixel (measured)
_NO_DATA = 128  # zero bytes: no lossless image ends in so many


def walk_webp(file: BinaryIO) -> Structure:
    """Walk a WebP's chunks to its end. Raises Refusal."""
    size = size_of(file)
    end = 8 + int.from_bytes(read_at(file, 4, 4), "little")
    if end > size + 1:  # the byte that makes the length even is often left out
        raise cut("it is shorter than it says")
    end = min(end, size)
    sides: list[tuple[int, int]] = []
    frames = chunks = besides = 0
    is_lossy = True
    zeros: tuple[int, int] | None = None
    at = 12
    while at + 8 <= end:
        chunks += 1
        if chunks > _MOST_CHUNKS:
            raise too_much(f"has more than {_MOST_CHUNKS} parts")
        kind, length = _chunk(file, at)
        start = at + 8
        if not any(kind):
            raise cut("it ends in nothing but zeros")
        if start + length > end:
            raise cut("a part of it is not whole")
        if kind in (b"VP8 ", b"VP8L", b"ANMF"):
            frames += 1
            zeros = zeros_before(file, start, start + length)
            if kind == b"VP8L" and zeros is not None and zeros[1] - zeros[0] >= _NO_DATA:
                raise cut("its image ends in nothing but zeros")
            is_lossy &= kind == b"VP8 "
            inner = start
            if kind == b"ANMF" and length >= 24:
                inner = start + 16
                if read_at(file, inner, 4) == b"ALPH":
                    inner += 8 + _even(_chunk(file, inner)[1])
                kind, inner = (_chunk(file, inner)[0], inner + 8) if inner + 18 < end else (b"", 0)
            sides.append(_sides(file, kind, inner))
        elif kind in (b"ICCP", b"EXIF", b"XMP "):
            besides += length
        elif kind == b"ALPH":
            is_lossy = False
        elif kind == b"VP8X" and length >= 10:
            body = read_at(file, start, 10)
            wide, high = (int.from_bytes(body[i : i + 3], "little") + 1 for i in (4, 7))
            sides.append((wide, high))
        at = start + _even(length)
    if not frames:
        raise cut("it has no image")
    width, height = (max(side[axis] for side in sides) for axis in (0, 1))
    animated = 9 if frames > 1 else 0
    a_pixel = _LOSSY if is_lossy else _OTHERS
    return Structure(
        width,
        height,
        pixels_bytes(width, height, a_pixel + animated) + 4 * besides,
        frames=min(frames, 2),
        zeros=zeros if frames == 1 else None,
    )


def _chunk(file: BinaryIO, at: int) -> tuple[bytes, int]:
    head = read_at(file, at, 8)
    return head[:4], int.from_bytes(head[4:], "little")


def _even(length: int) -> int:
    return length + (length & 1)


def _sides(file: BinaryIO, kind: bytes, at: int) -> tuple[int, int]:
    """Read the sides of a bitstream: RFC 6386, 9.1, and RFC 9649, 3.4."""
    if kind == b"VP8 ":
        head = read_at(file, at, 10)
        return (
            int.from_bytes(head[6:8], "little") & 0x3FFF,
            int.from_bytes(head[8:10], "little") & 0x3FFF,
        )
    if kind == b"VP8L":
        bits = int.from_bytes(read_at(file, at + 1, 4), "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0
