"""Which files count as photos, and finding them in a folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
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
    """Tell by the suffix, in any case, whether it would be a format of cameras or of the web."""
    return suffix_of(name) in CAMERA_SUFFIXES


def is_image_name(name: str) -> bool:
    """Tell by the suffix, in any case, whether it would be of any format that is decoded."""
    return suffix_of(name) in DECODED_SUFFIXES


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in one folder, dot files left out: names, in their order."""

    folder: Path
    photos: tuple[str, ...]
    others: tuple[str, ...]  # of files that are no photos, links and special files


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
    is true are not entered, nor are hidden ones. `unlisted` hears of subfolders that cannot be
    listed. Raises OSError if `folder` itself cannot.
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
    """List one folder, and name its subfolders."""
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


def find_files(
    folder: Path,
    *,
    recursive: bool = False,
    skip: Callable[[Path], bool] = lambda _: False,
    is_wanted: Callable[[str], bool] = is_photo_name,
) -> Iterator[FoundFile]:
    """Give every file that `list_folders` lists. Raises OSError."""
    for listing in list_folders(folder, recursive=recursive, skip=skip, is_wanted=is_wanted):
        kinds = dict.fromkeys(listing.photos, FileKind.PHOTO)
        kinds.update(dict.fromkeys(listing.others, FileKind.NOT_A_PHOTO))
        for name in sorted(kinds):
            yield FoundFile(listing.folder / name, kinds[name])


def _begins_as_a_photo(folder: Path, name: str) -> bool:
    if os.path.splitext(name)[1]:
        return False
    try:
        with (folder / name).open("rb") as file:
            return sniff(file.read(HEADER_BYTES), name) in CAMERA_FORMATS
    except OSError:
        return False
