"""The header of a JPEG XL (ISO/IEC 18181), alone or in boxes."""

from __future__ import annotations

from operator import itemgetter

from core.images.structure.base import Source, Structure, cut, pixels_bytes
from core.images.structure.boxes import Box, boxes

_START = b"\xff\x0a"
_BOXES = frozenset(
    {b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"jbrd", b"brob", b"Exif"}
    | {b"xml ", b"jumb", b"jhgm", b"free", b"skip", b"uuid"}
)
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def walk_jxl(source: Source) -> Structure:
    """Read a JPEG XL's header, and walk its boxes if it has some. Raises Refusal.

    Its decoder notices by itself where data is missing.
    """
    start, end = 0, source.size
    if source.at(0, 2) == _START:
        filled = source.zeros_before(0, end)
        if filled is not None and filled[0] > 2:
            end = filled[0]
    else:
        parts, end = _image_boxes(source)
        if not parts:
            raise cut("it has no image")
        start = parts[0].start + (4 if parts[0].kind == b"jxlp" else 0)
    width, height = jxl_sides(source.up_to(start, 34))
    needed = pixels_bytes(width, height, 16.5)
    # its decoder does not take what stands behind an image
    lean = itemgetter(slice(end)) if end < source.size else None
    return Structure(width, height, needed, lean=lean)


def _image_boxes(source: Source) -> tuple[list[Box], int]:
    """Return the boxes with the image, and where the last box ends that is one."""
    parts, at = [], 0
    while at + 8 <= source.size and source.at(at + 4, 4) in _BOXES:
        box = next(boxes(source, at, source.size))
        if box.kind in (b"jxlc", b"jxlp"):
            parts.append(box)
        at = box.end
    return parts, at


def jxl_sides(content: bytes) -> tuple[int, int]:
    """Read width and height of a codestream (18181-1, annex D), after its FF 0A."""
    bits = _LowFirst(content[2:])
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.number()
    ratio = bits.take(3)
    if ratio:
        over, under = _RATIOS[ratio]
        return height * over // under, height
    return (bits.take(5) + 1) * 8 if small else bits.number(), height


class _LowFirst:
    """Bits of a header, the lowest of each byte first."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content[:32], "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def number(self) -> int:
        return self.take((9, 13, 18, 30)[self.take(2)]) + 1
