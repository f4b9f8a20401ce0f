"""Finding the photos in a folder, by suffix, or by content where there is none."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.images.formats import (
    CAMERA_FORMATS,
    CAMERA_SUFFIXES,
    DECODED_SUFFIXES,
    HEADER_BYTES,
    sniff,
    suffix_of,
)
from core.paths import display

log = logging.getLogger(__name__)


def is_photo_name(name: str) -> bool:
    """Return whether the suffix, in any case, is of a format of cameras or of the web."""
    return suffix_of(name) in CAMERA_SUFFIXES


def is_image_name(name: str) -> bool:
    """Return whether the suffix, in any case, is of any format that is decoded."""
    return suffix_of(name) in DECODED_SUFFIXES


@dataclass(frozen=True, slots=True)
class Listing:
    """The names in one folder, without dot files, in their order."""

    folder: Path
    photos: tuple[str, ...]
    others: tuple[str, ...]  # files that are no photos, links and special files


def _warn(folder: Path, error: OSError) -> None:
    log.warning("%s is passed over: %s", display(folder), error.strerror)


def list_folders(
    folder: Path,
    *,
    recursive: bool = False,
    skip: Callable[[Path], bool] = lambda _: False,
    is_wanted: Callable[[str], bool] = is_photo_name,
    unlisted: Callable[[Path, OSError], None] = _warn,
) -> Iterator[Listing]:
    """List a folder, and if asked its subfolders after it, in the order of their names.

    Photos are the files whose name `is_wanted`, and those without a suffix that begin as photos do.

    Links and special files are never opened; they count as no photos. Folders for which `skip`
    is true are not entered, nor are hidden ones. `unlisted` is called for subfolders that cannot
    be listed. Raises OSError if `folder` itself cannot.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            listing, folders = _list(here, is_wanted)
        except OSError as error:
            if here == folder:
                raise
            unlisted(here, error)
            continue
        yield listing
        if recursive:
            below = (here / name for name in reversed(folders))
            waiting.extend(one for one in below if not skip(one) and one.name[0] != ".")


def _list(folder: Path, is_wanted: Callable[[str], bool]) -> tuple[Listing, list[str]]:
    """Return what is in one folder, and the names of its subfolders."""
    photos, others, folders = [], [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.name.startswith("."):
                continue
            elif entry.is_file(follow_symlinks=False) and (
                is_wanted(entry.name) or _begins_as_a_photo(folder, entry.name)
            ):
                photos.append(entry.name)
            else:
                others.append(entry.name)
    return Listing(folder, tuple(sorted(photos)), tuple(sorted(others))), sorted(folders)


def list_photos(
    folder: Path,
    *,
    recursive: bool = False,
    skip: Callable[[Path], bool] = lambda _: False,
    is_wanted: Callable[[str], bool] = is_photo_name,
) -> Iterator[Path]:
    """Yield the photos that `list_folders` lists. Raises OSError."""
    for listing in list_folders(folder, recursive=recursive, skip=skip, is_wanted=is_wanted):
        yield from (listing.folder / name for name in listing.photos)


def _begins_as_a_photo(folder: Path, name: str) -> bool:
    if os.path.splitext(name)[1]:
        return False
    try:
        with (folder / name).open("rb") as file:
            return sniff(file.read(HEADER_BYTES), name) in CAMERA_FORMATS
    except OSError:
        return False
