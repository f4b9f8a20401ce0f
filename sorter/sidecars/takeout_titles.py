"""Whether a JSON file is about a photo: Google Takeout's notes have its name as their title."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.runtime.regular_file import open_regular
from sorter.names import fold

_LARGEST_BYTES = 1 << 20  # notes about a photo have some thousand
_TAKEOUTS = {"photoTakenTime", "googlePhotosOrigin", "creationTime", "url"}
_CUT_LETTERS = 40  # that names have in common where Takeout has cut one of them


@dataclass(frozen=True, slots=True)
class About:
    """The photo that a JSON file is about."""

    title: str | None
    is_takeouts: bool

    def is_of(self, photo: str, *, by_whole_name: bool) -> bool:
        """Return whether it is of a photo after whose whole name, or only stem, it is named."""
        if self.title is None:
            return by_whole_name
        if by_whole_name and not self.is_takeouts:
            return True
        title, name = _plain(self.title), _plain(photo)
        is_cut = min(len(title), len(name)) >= _CUT_LETTERS
        return title == name or (is_cut and title[:_CUT_LETTERS] == name[:_CUT_LETTERS])


def read_notes(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None if the file holds none."""
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            return None
        value = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def about(path: Path) -> About:
    notes = read_notes(path) or {}
    title = notes.get("title")
    return About(title if isinstance(title, str) else None, bool(_TAKEOUTS & set(notes)))


def _plain(name: str) -> str:
    """Return a stem without its number and without what Takeout replaces in names."""
    stem = os.path.splitext(fold(name))[0]
    return re.sub(r"\W", "_", re.sub(r"\(\d+\)$", "", stem))
