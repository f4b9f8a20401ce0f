"""How paths are written for people."""

from __future__ import annotations

import os
from pathlib import Path


def display(path: Path) -> str:
    """Write a path for people: bytes that are not UTF-8 and control characters are escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    if text.isprintable():  # nearly always, and asked of every photo
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
