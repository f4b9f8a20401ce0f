"""Photos that are still being downloaded."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from core.images.listing import Listing

# What a download is called, or has beside it, for as long as it is not finished.
_UNFINISHED = (".part", ".crdownload", ".download", ".tmp", ".partial", ".aria2", ".!ut", ".!qb")
_ABANDONED_SECONDS = 7 * 86400.0  # without a byte more, and a download is none any more
_FIREFOXS = re.compile(r"(?P<stem>.+)\.[\w-]{8}(?P<suffix>\.[^.]+)?")  # name.HASH.jpg(.part)


def unfinished_downloads(listing: Listing) -> set[str]:
    """Return the names, in lower case, that a download goes on beside."""
    return set(_unfinished(listing))


def _unfinished(listing: Listing) -> Iterator[str]:
    for other in listing.others:
        if not other.lower().endswith(_UNFINISHED) or _is_abandoned(listing.folder / other):
            continue
        name = os.path.splitext(other.lower())[0]
        yield name
        firefoxs = _FIREFOXS.fullmatch(name)
        if firefoxs is not None:  # its name.jpg is empty until the end
            final = firefoxs["stem"] + (firefoxs["suffix"] or "")
            photos = (photo for photo in listing.photos if photo.lower() == final)
            if any((listing.folder / photo).lstat().st_size == 0 for photo in photos):
                yield final


def _is_abandoned(download: Path) -> bool:
    try:
        return abs(time.time() - download.lstat().st_mtime) > _ABANDONED_SECONDS
    except OSError:
        return True  # it has just ended
