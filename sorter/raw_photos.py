"""Raw photos that have no JPEG beside them: what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sorter.moving.sidecar_names import is_raw_name
from sorter.names import fold


def alone(raws: Iterable[Path], photos: Iterable[Path]) -> list[Path]:
    """List the raw photos that no photo of their name is beside."""
    there = {(photo.parent, fold(photo.stem)) for photo in photos}
    return [
        raw for raw in raws if is_raw_name(raw.name) and (raw.parent, fold(raw.stem)) not in there
    ]


def raw_words(number: int) -> str:
    """Say what becomes of so many raw photos alone."""
    if number == 1:
        return "raw photo: catdog reads the JPEG beside it"
    return "raw photos: catdog reads the JPEG beside them"
