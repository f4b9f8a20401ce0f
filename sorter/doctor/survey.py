"""A folder, its destination and the state folder, as `catdog doctor` checks them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.images.listing import is_photo_name, list_photos
from core.images.other_stores import is_other_store
from sorter.moving.filesystem import file_system_of, nearest_folder
from sorter.sidecars.name_patterns import is_raw_name


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    size: int  # bytes
    mtime: float  # seconds since 1970


class Survey:
    """What there is. The destination and the state folder need not be there yet."""

    def __init__(
        self, folder: Path, destination: Path, state_dir: Path, *, recursive: bool, now: float
    ) -> None:
        """Write nothing; `now` is in seconds since 1970. Raises OSError if there is no folder."""
        self.folder = Path(os.path.realpath(folder))
        self.destination = Path(os.path.realpath(destination))
        self.state_dir = state_dir
        self.recursive = recursive
        self.now = now
        self.photos = _photos(self.folder, self.destination, recursive=recursive)
        self.folder_on = file_system_of(self.folder)
        self.destination_on = file_system_of(self.destination)
        self.state_on = file_system_of(state_dir)

    @property
    def needs_copies(self) -> bool:
        """Whether a photo's new place is on another file system than its old one."""
        # one mounted file system may be in parts, too: btrfs has subvolumes
        return self.folder_on.mount_point != self.destination_on.mount_point or (
            _device(self.folder) != _device(self.destination)
        )


def _photos(folder: Path, destination: Path, *, recursive: bool) -> list[Photo]:
    def skip(sub: Path) -> bool:
        return sub == destination or is_other_store(sub.name)

    def is_wanted(name: str) -> bool:
        return is_photo_name(name) or is_raw_name(name)

    photos = []
    for path in list_photos(folder, recursive=recursive, skip=skip, is_wanted=is_wanted):
        with suppress(OSError):  # gone meanwhile
            status = path.stat()
            photos.append(Photo(path, status.st_size, status.st_mtime))
    return photos


def _device(path: Path) -> int:
    return nearest_folder(path).stat().st_dev
