"""How paths are written for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_hidden: list[str] = []  # beginnings of paths that mean nothing to people


def display(path: Path) -> str:
    """Write a path for people: bytes that are not UTF-8 and control characters are escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    for beginning in _hidden:
        text = text.removeprefix(beginning)
    if text.isprintable():  # nearly always, and asked of every photo
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


@contextmanager
def hidden(beginning: str) -> Iterator[None]:
    """Hide where paths begin, such as a temporary folder, from people."""
    _hidden.append(beginning)
    try:
        yield
    finally:
        _hidden.remove(beginning)
