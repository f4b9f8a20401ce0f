"""What a RAW file states of itself, before any of it is checked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec, TypeVar

from core.images.structure.base import Refusal

Given = ParamSpec("Given")
Read = TypeVar("Read")
Size = tuple[float, float]  # width, height; fractions come from DNG's rationals


class Span(NamedTuple):
    """A stretch of bytes in a file."""

    offset: int
    length: int

    def is_cut(self, size: int) -> bool:
        """Return whether it begins in a file of so many bytes, and ends beyond it."""
        return self.offset < size < self.offset + self.length


@dataclass(frozen=True, slots=True)
class Contents:
    """A RAW file's JPEGs, its sensor as cropped, and its EXIF orientation.

    The spans may lie anywhere and hold anything.
    """

    jpegs: tuple[Span, ...] = ()
    sensor: Size | None = None
    orientation: int | None = None
    is_cut: bool = False  # the sensor's data goes beyond the file's end


def unless_damaged(read: Callable[Given, Read]) -> Callable[Given, Read | None]:
    """Make a function return None where it raises Refusal."""

    @functools.wraps(read)
    def attempt(*args: Given.args, **kwargs: Given.kwargs) -> Read | None:
        try:
            return read(*args, **kwargs)
        except Refusal:
            return None

    return attempt


def positive(width: float, height: float) -> Size | None:
    """Return a size, None if a side is not positive."""
    return (width, height) if width > 0 and height > 0 else None


def largest(sizes: Iterable[Size | None]) -> Size | None:
    return max((size for size in sizes if size), key=lambda size: size[0] * size[1], default=None)
