"""Which files count as photos, and finding them in a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.images.decode import HEADER_BYTES, sniff
from core.paths import display

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


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in one folder, dot files left out: names, in their order."""

    folder: Path
    photos: tuple[str, ...]
    others: tuple[str, ...]  # of files that are no photos, links and special files


def list_folders(
    folder: Path, *, recursive: bool = False, skip: Callable[[Path], bool] = lambda _: False
) -> Iterator[Listing]:
    """List a folder, and if asked its subfolders after it, in the order of their names.

    Links and special files are never opened; they count as no photos. Folders for which `skip`
    is true are not entered. Raises OSError if `folder` itself cannot be listed; subfolders that
    cannot are passed over with a warning.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            listing, folders = _list(here)
        except OSError as error:
            if here == folder:
                raise
            log.warning("%s is passed over: %s", display(here), error.strerror)
            continue
        yield listing
        if recursive:
            below = (here / name for name in reversed(folders))
            waiting.extend(path for path in below if not skip(path))


def _list(folder: Path) -> tuple[Listing, list[str]]:
    """List one folder, and name its subfolders."""
    photos, others, folders = [], [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False) and _looks_like_photo(folder, entry.name):
                photos.append(entry.name)
            else:
                others.append(entry.name)
    return Listing(folder, tuple(sorted(photos)), tuple(sorted(others))), sorted(folders)


def find_files(
    folder: Path, *, recursive: bool = False, skip: Callable[[Path], bool] = lambda _: False
) -> Iterator[FoundFile]:
    """Give every file that `list_folders` lists. Raises OSError."""
    for listing in list_folders(folder, recursive=recursive, skip=skip):
        kinds = dict.fromkeys(listing.photos, FileKind.PHOTO)
        kinds.update(dict.fromkeys(listing.others, FileKind.NOT_A_PHOTO))
        for name in sorted(kinds):
            yield FoundFile(listing.folder / name, kinds[name])


def _looks_like_photo(folder: Path, name: str) -> bool:
    return is_photo_name(name) or (
        not os.path.splitext(name)[1] and _starts_like_an_image(folder / name)
    )


def _starts_like_an_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEADER_BYTES)) is not None
    except OSError:
        return False
