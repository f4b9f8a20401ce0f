"""A file that may be hostile, read a few bytes at a time at places that it states itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

Size = tuple[float, float]  # width, height; fractions come from DNG's rationals


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of bytes in a file."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a raw file says of itself: its JPEGs, its sensor as cropped, and its EXIF orientation.

    Nothing of it is checked yet: the spans may lie anywhere and hold anything.
    """

    jpegs: tuple[Span, ...] = ()
    sensor: Size | None = None
    orientation: int | None = None


class Source:
    """Bytes of a file by offset; a place outside the file is None, never an exception."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def at(self, offset: int, count: int) -> bytes | None:
        """Return exactly `count` bytes, or None where the file has fewer."""
        if offset < 0 or count < 0 or offset + count > self.size:
            return None
        self._file.seek(offset)
        found = self._file.read(count)
        return found if len(found) == count else None

    def holds(self, span: Span) -> bool:
        """Tell whether a span is not empty and lies within the file."""
        return span.length > 0 and 0 <= span.offset <= self.size - span.length
