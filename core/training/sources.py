"""Where photos come from and what they show, as their names tell."""

from __future__ import annotations

import re
from pathlib import Path

_NUMBER = re.compile(r"[-_]?\d+$")
_FIRST_WORD = re.compile(r"[A-Za-z]\w*?(?=[-_])")


def source_of(path: Path) -> str | None:
    """Name where a photo comes from: the first word of a name such as `kaggle-00012.jpg`.

    None for names that are one word, or begin with none.
    """
    found = _FIRST_WORD.match(path.name)
    return found[0] if found else None


def kind_of(path: Path) -> str | None:
    """Name what a photo shows beyond its class, as names such as `web-wild-cat-00007.jpg` tell.

    That is what stands between source and number; None if nothing does.
    """
    source = source_of(path)
    if source is None:
        return None
    return _NUMBER.sub("", path.stem[len(source) :]).strip("-_") or None
