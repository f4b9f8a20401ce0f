"""The chunks of a WebP (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator

from core.images.structure.base import Source, Structure, cut, pixels_bytes, too_much

_MOST_CHUNKS = 100_000
_LOSSY, _OTHERS = 16.4, 17.4  # bytes a pixel (measured)
_NO_DATA = 128  # zero bytes: no lossless image ends in so many


def walk_webp(source: Source) -> Structure:
    """Walk a WebP's chunks to its end. Raises Refusal."""
    frames = besides = 0
    sides: list[tuple[int, int]] = []
    is_lossy = True
    zeros: tuple[int, int] | None = None
    for kind, start, length in _chunks(source):
        if kind in (b"VP8 ", b"VP8L", b"ANMF"):
            frames += 1
            zeros = source.zeros_before(start, start + length)
            if kind == b"VP8L" and zeros is not None and zeros[1] - zeros[0] >= _NO_DATA:
                raise cut("its image ends in nothing but zeros")
            is_lossy &= kind == b"VP8 "
            is_in_frame = kind == b"ANMF" and length >= 24
            sides.append(
                _frame_sides(source, start) if is_in_frame else _sides(source, kind, start)
            )
        elif kind in (b"ICCP", b"EXIF", b"XMP "):
            besides += length
        elif kind == b"ALPH":
            is_lossy = False
        elif kind == b"VP8X" and length >= 10:
            sides.append(
                (
                    source.number(start + 4, 3, "little") + 1,
                    source.number(start + 7, 3, "little") + 1,
                )
            )
    if not frames:
        raise cut("it has no image")
    width, height = (max(side[axis] for side in sides) for axis in (0, 1))
    a_pixel = (_LOSSY if is_lossy else _OTHERS) + (9 if frames > 1 else 0)
    return Structure(
        width,
        height,
        pixels_bytes(width, height, a_pixel) + 4 * besides,
        frames=min(frames, 2),
        zeros=zeros if frames == 1 else None,
    )


def _chunks(source: Source) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's kind, and where and how long its data is. Raises Refusal."""
    end = 8 + source.number(4, 4, "little")
    if end > source.size + 1:  # the byte that makes the length even is often left out
        raise cut("it is shorter than it says")
    end = min(end, source.size)
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > end:
            return
        kind, length = _chunk(source, at)
        if not any(kind):
            raise cut("it ends in nothing but zeros")
        if at + 8 + length > end:
            raise cut("a part of it is not whole")
        yield kind, at + 8, length
        at += 8 + _even(length)
    raise too_much(f"has more than {_MOST_CHUNKS} parts")


def _chunk(source: Source, at: int) -> tuple[bytes, int]:
    head = source.at(at, 8)
    return head[:4], int.from_bytes(head[4:], "little")


def _even(length: int) -> int:
    return length + (length & 1)


def _frame_sides(source: Source, start: int) -> tuple[int, int]:
    """Read the sides of a frame of an animation, which may have its alpha before its colours."""
    at = start + 16
    kind, length = _chunk(source, at)
    if kind == b"ALPH":
        at += 8 + _even(length)
        kind, _ = _chunk(source, at)
    return _sides(source, kind, at + 8)


def _sides(source: Source, kind: bytes, at: int) -> tuple[int, int]:
    """Read the sides of a bitstream: RFC 6386, 9.1, and RFC 9649, 3.4."""
    if kind == b"VP8 ":
        width, height = (source.number(at + offset, 2, "little") & 0x3FFF for offset in (6, 8))
        return width, height
    if kind == b"ANMF":
        return _frame_sides(source, at)
    if kind == b"VP8L":
        bits = source.number(at + 1, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0
