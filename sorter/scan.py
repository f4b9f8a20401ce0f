"""Which files of a folder are input, and which folders are refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageRefused
from core.image import display
from core.photos import FoundFile, find_files, is_photo
from sorter.routes import SET_APART


@dataclass(frozen=True, slots=True)
class Inbox:
    """A folder to sort and where its photos go."""

    folder: Path
    destination: Path
    recursive: bool
    class_folders: frozenset[str]  # names, of the model in use and of all others

    def check(self) -> None:
        """Raise UsageRefused if sorting this folder makes no sense or would sort its own work."""
        if not os.path.isdir(self.folder):
            raise UsageRefused(f"{display(self.folder)} is not a folder. Name one that is there.")
        if os.path.lexists(self.destination) and not os.path.isdir(self.destination):
            raise UsageRefused(f"{display(self.destination)} is not a folder. Choose another.")
        inside = [self.folder.resolve(), *self.folder.resolve().parents]
        for name in sorted(self.class_folders):
            filed = self.destination / name
            if any(_same(filed, folder) for folder in inside):
                raise UsageRefused(
                    f"{display(self.folder)} is where photos are filed ({display(filed)}). "
                    "Sort another folder, or choose another place with --into."
                )

    def files(self) -> Iterator[FoundFile]:
        """List what is there now, in the order of names. Raises OSError."""
        return find_files(self.folder, recursive=self.recursive, skip=self._is_output)

    def takes(self, path: Path) -> bool:
        """Tell whether one path is a photo and input, as `files` would list it."""
        try:
            below = path.relative_to(self.folder)
        except ValueError:
            return False
        if any(part.startswith(".") for part in below.parts):
            return False
        folders = list(below.parents)[:-1]  # the last is the inbox itself
        if folders and not self.recursive:
            return False
        if any(self._is_output(self.folder / folder) for folder in folders):
            return False
        return is_photo(path)

    def _is_output(self, folder: Path) -> bool:
        """Tell whether a subfolder is one that photos are filed into, or the destination."""
        names = {name.casefold() for name in self.class_folders | SET_APART}
        return folder.name.casefold() in names or _same(folder, self.destination)


def _same(one: Path, other: Path) -> bool:
    """Compare folders as the file system does: links are followed, case may not matter."""
    try:
        return one.samefile(other)
    except OSError:
        return False
