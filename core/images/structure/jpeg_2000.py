"""The header of a JPEG 2000 (ITU-T T.800, annex A), alone or in boxes."""

from __future__ import annotations

from core.images.structure.base import Source, Structure, cut, pixels_bytes, too_much
from core.images.structure.boxes import boxes

_START = b"\xff\x4f\xff\x51"
_MOST_PIXELS = 12_000_000  # as decoded: 5 s


def walk_jpeg_2000(source: Source, min_side: int) -> Structure:
    """Read a JPEG 2000's header.

    Its decoder leaves out the finest levels as `Jpeg.scale` does. Raises Refusal.
    """
    start, end = 0, source.size
    if source.at(0, 4) != _START:
        code = next((box for box in boxes(source, 0, end) if box.kind == b"jp2c"), None)
        if code is None:
            raise cut("it has no image")
        start, end = code.start, code.end
    head = source.at(start, 44)
    if head[:4] != _START:
        raise cut("its image does not begin as one does")
    right, low, left, top = (int.from_bytes(head[at : at + 4]) for at in (8, 12, 16, 20))
    components = int.from_bytes(head[40:42])
    width, height = right - left, low - top
    halved = _halved(width, height, min_side, _levels(source, start + 2, end))
    wide, high = max(width >> halved, 1), max(height >> halved, 1)
    if wide * high > _MOST_PIXELS:
        raise too_much(
            f"has {width} x {height} pixels that cannot be decoded smaller, which takes long in "
            "JPEG 2000"
        )
    a_pixel = 4.5 * (components + 1) + 4.5
    needed = pixels_bytes(wide, high, a_pixel) + 2 * (end - start) + width * height // 2
    zeros = source.zeros_before(start, end) if start else None  # a bare stream may be filled up
    return Structure(width, height, needed, zeros=zeros, halved=halved)


def _halved(width: int, height: int, min_side: int, levels: int) -> int:
    """Compute how often the sides may be halved, and Pillow and its decoder agree on them.

    The one rounds half up, the other up.
    """
    most = min(width, height) // max(min_side, 1)
    for halved in range(max(0, min(levels, most.bit_length() - 1)), 0, -1):
        part = 1 << halved
        if all((side + part // 2) // part == -(-side // part) for side in (width, height)):
            return halved
    return 0


def _levels(source: Source, at: int, end: int) -> int:
    """Read how many resolutions a codestream has (T.800, A.6.1)."""
    for _ in range(1000):
        if at + 4 > end:
            break
        head = source.at(at, 4)
        if head[:2] == b"\xff\x52" and at + 10 <= end:
            return source.at(at + 9, 1)[0]
        if head[0] != 0xFF or head[:2] == b"\xff\x90":
            break
        at += 2 + int.from_bytes(head[2:])
    return 0
