"""Which files count as photos, and finding them in a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.image import HEADER_BYTES, display, sniff

log = logging.getLogger(__name__)

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".dib"}
    | {".tif", ".tiff", ".heic", ".heif", ".hif", ".avif"}
)


class FileKind(Enum):
    """What a directory entry is to catdog."""

    PHOTO = "photo"
    NOT_A_PHOTO = "not a photo"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One regular file, link or special file of a folder."""

    path: Path
    kind: FileKind


def is_photo_name(name: str) -> bool:
    """Tell by the suffix, in any case."""
    return os.path.splitext(name)[1].lower() in PHOTO_SUFFIXES


def is_photo(path: Path) -> bool:
    """Tell by the suffix, or where there is none by the first bytes; links are never photos."""
    if os.path.islink(path) or not os.path.isfile(path):  # unlike Path's, these do not raise
        return False
    return is_photo_name(path.name) or (not path.suffix and _starts_like_an_image(path))


def find_files(
    folder: Path, *, recursive: bool = False, skip: Callable[[Path], bool] = lambda _: False
) -> Iterator[FoundFile]:
    """List a folder in the order of its names, dot files left out.

    Links and special files are never opened; they count as not a photo. Folders for which
    `skip` is true are not entered. Raises OSError if `folder` itself cannot be listed;
    subfolders that cannot are passed over with a warning.
    """
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if recursive and not skip(path):
                try:
                    yield from find_files(path, recursive=True, skip=skip)
                except OSError as error:
                    log.warning("%s is passed over: %s", display(path), error.strerror)
        else:
            yield FoundFile(path, FileKind.PHOTO if is_photo(path) else FileKind.NOT_A_PHOTO)


def _starts_like_an_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEADER_BYTES)) is not None
    except OSError:
        return False
