"""A folder, its destination and the state folder, as `catdog doctor` checks them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.images.listing import list_photos
from sorter.moving.filesystem import FileSystem, file_system_of, nearest_folder
from sorter.scanning.other_stores import is_other_store


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's file."""

    path: Path
    size: int  # bytes
    mtime: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is. The destination and the state folder need not be there yet."""

    folder: Path
    destination: Path
    state_dir: Path
    recursive: bool
    folder_on: FileSystem
    destination_on: FileSystem
    state_on: FileSystem
    needs_copies: bool  # a photo's new place is on another file system than its old one
    photos: tuple[Photo, ...]
    now: float  # seconds since 1970


def take_survey(
    folder: Path, destination: Path, state_dir: Path, *, recursive: bool, now: float
) -> Survey:
    """Survey the folders, and write nothing. Raises OSError if `folder` cannot be listed."""
    folder, destination = Path(os.path.realpath(folder)), Path(os.path.realpath(destination))
    photos = tuple(_photos(folder, destination, recursive=recursive))
    folder_on, destination_on = file_system_of(folder), file_system_of(destination)
    return Survey(
        folder=folder,
        destination=destination,
        state_dir=state_dir,
        recursive=recursive,
        folder_on=folder_on,
        destination_on=destination_on,
        state_on=file_system_of(state_dir),
        # one mounted file system may be in parts, too: btrfs has subvolumes
        needs_copies=folder_on.mount_point != destination_on.mount_point
        or _device(folder) != _device(destination),
        photos=photos,
        now=now,
    )


def _photos(folder: Path, destination: Path, *, recursive: bool) -> list[Photo]:
    def skip(sub: Path) -> bool:
        return sub == destination or is_other_store(sub.name)

    photos = []
    for path in list_photos(folder, recursive=recursive, skip=skip):
        with suppress(OSError):  # gone meanwhile
            status = path.stat()
            photos.append(Photo(path, status.st_size, status.st_mtime))
    return photos


def _device(path: Path) -> int:
    return nearest_folder(path).stat().st_dev
