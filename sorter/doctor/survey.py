"""A folder, its destination and the journal's, looked at once: what `catdog doctor` judges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.images.listing import Listing, list_folders
from sorter.moving.filesystem import FileSystem, file_system_of, nearest_folder
from sorter.scanning.other_stores import is_other_store
from sorter.scanning.raw_photos import raws_alone


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
    folder_on: FileSystem
    destination_on: FileSystem
    state_on: FileSystem
    needs_copies: bool  # a photo's new place is on another file system than its old one
    photos: tuple[Photo, ...]
    folders: int  # that a watcher has to watch
    now: float  # seconds since 1970
    raws_alone: int = 0  # raw photos that no photo of their name is beside


def survey(
    folder: Path, destination: Path, state_dir: Path, *, recursive: bool, now: float
) -> Survey:
    """Look at everything, and write nothing. Raises OSError if `folder` cannot be listed."""
    folder, destination = Path(os.path.realpath(folder)), Path(os.path.realpath(destination))
    photos = tuple(_photos(folder, destination, recursive=recursive))
    folder_on, destination_on = file_system_of(folder), file_system_of(destination)
    return Survey(
        folder=folder,
        destination=destination,
        state_dir=state_dir,
        folder_on=folder_on,
        destination_on=destination_on,
        state_on=file_system_of(state_dir),
        # one mounted file system may be in parts, too: btrfs has subvolumes
        needs_copies=folder_on.mount_point != destination_on.mount_point
        or _device(folder) != _device(destination),
        photos=photos,
        folders=sum(1 for _ in os.walk(folder)) if recursive else 1,
        now=now,
        raws_alone=_count_raws_alone(folder, destination, recursive=recursive),
    )


def _photos(folder: Path, destination: Path, *, recursive: bool) -> list[Photo]:
    photos = []
    for listing in _listings(folder, destination, recursive=recursive):
        for path in (listing.folder / name for name in listing.photos):
            try:
                status = path.stat()
            except OSError:
                continue  # gone meanwhile
            photos.append(Photo(path, status.st_size, status.st_mtime))
    return photos


def _count_raws_alone(folder: Path, destination: Path, *, recursive: bool) -> int:
    listings = _listings(folder, destination, recursive=recursive)
    return sum(len(raws_alone(one.others, one.photos)) for one in listings)


def _listings(folder: Path, destination: Path, *, recursive: bool) -> Iterator[Listing]:
    def skip(sub: Path) -> bool:
        return sub == destination or is_other_store(sub.name)

    return list_folders(folder, recursive=recursive, skip=skip)


def _device(path: Path) -> int:
    return nearest_folder(path).stat().st_dev
