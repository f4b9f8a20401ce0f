"""The boxes that HEIC, AVIF, JPEG XL, JPEG 2000 and CR3 files are made of (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.images.structure.base import Source, cut, too_much

MOST_BOXES = 20_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its kind, and where its content begins and ends."""

    kind: bytes
    start: int
    end: int


def boxes(source: Source, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places. Raises Refusal for one that goes beyond `end`."""
    at = start
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            return
        head = source.at(at, 8)
        length, content = int.from_bytes(head[:4]), at + 8
        if length == 1:
            length, content = source.number(at + 8, 8), at + 16
        elif length == 0:
            length = end - at
        if length < content - at or at + length > end:
            raise cut("a part of it is not whole")
        yield Box(head[4:8], content, at + length)
        at += length
    if at + 8 <= end:
        raise too_much(f"has more than {MOST_BOXES} parts")
