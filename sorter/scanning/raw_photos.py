"""Raw photos that have no JPEG beside them: which they are, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from os.path import splitext

from sorter.names import fold
from sorter.sidecars.name_patterns import is_raw_name


def raws_alone(names: Iterable[str], photos: Iterable[str]) -> list[str]:
    """List the raw photos of a folder that no photo of their name is beside."""
    raws = [name for name in names if is_raw_name(name)]
    if not raws:
        return []
    there = {fold(splitext(photo)[0]) for photo in photos}
    return [raw for raw in raws if fold(splitext(raw)[0]) not in there]


def raw_words(number: int) -> str:
    """Say what becomes of so many raw photos alone."""
    if number == 1:
        return "raw photo: catdog reads the JPEG beside it, or the preview inside"
    return "raw photos: catdog reads the JPEG beside them, or the preview inside"
