"""Which files of a folder are input, and which folders are refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from core.errors import UsageRefused
from core.images.listing import Listing, is_photo_name, list_folders
from core.paths import display
from sorter.moving.companions import is_companion_name
from sorter.outcome import Reason
from sorter.routes import SET_APART

# What a download is called, or has beside it, for as long as it is not finished.
_UNFINISHED = (".part", ".crdownload", ".download", ".tmp", ".partial", ".aria2", ".!ut", ".!qb")


class Names:
    """File names in their order, packed: a hundred thousand take 1 MB, as strings 7."""

    def __init__(self, names: Sequence[str]) -> None:
        self._packed = "\0".join([*names, ""])  # each ends with NUL, which no name has in it

    def __len__(self) -> int:
        return self._packed.count("\0")

    def __iter__(self) -> Iterator[str]:
        start = 0
        while (end := self._packed.find("\0", start)) >= 0:
            yield self._packed[start:end]
            start = end + 1


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one folder."""

    folder: Path
    photos: Names  # that are input
    passed_over: dict[str, Reason]  # photos that are not, or not yet
    others: tuple[str, ...]  # no photos

    @property
    def names(self) -> list[str]:
        return [*self.photos, *self.passed_over, *self.others]

    @property
    def photos_without_suffix(self) -> set[str]:
        return {name for name in self.photos if not os.path.splitext(name)[1]}


@dataclass(frozen=True, slots=True)
class Inbox:
    """A folder to sort and where its photos go."""

    folder: Path
    destination: Path
    recursive: bool
    class_folders: frozenset[str]  # names, of the model in use and of all others
    include: tuple[str, ...] = ()  # patterns; none: all photos
    exclude: tuple[str, ...] = ()

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

    def look(self) -> Iterator[Found]:
        """List what is there now, folder by folder, in the order of names. Raises OSError."""
        for listing in list_folders(self.folder, recursive=self.recursive, skip=self._is_output):
            yield self._found(listing)

    def look_into(self, folder: Path) -> Found | None:
        """List one folder; None if it is gone."""
        try:
            return self._found(next(list_folders(folder)))
        except OSError:
            return None

    def takes(self, path: Path) -> bool:
        """Tell by its name alone whether a path may be a photo that is input, or go with one."""
        if not self.holds(path.parent) or path.name.startswith("."):
            return False
        name = path.name
        return is_photo_name(name) or is_companion_name(name) or not os.path.splitext(name)[1]

    def holds(self, folder: Path) -> bool:
        """Tell whether a folder is one whose photos are input."""
        try:
            below = folder.relative_to(self.folder)
        except ValueError:
            return False
        if not below.parts:
            return True
        if not self.recursive or any(part.startswith(".") for part in below.parts):
            return False
        folders = [below, *below.parents][:-1]  # the last is the inbox itself
        return not any(self._is_output(self.folder / folder) for folder in folders)

    def _found(self, listing: Listing) -> Found:
        """Tell what is input; of a hundred thousand names only those that matter are copied."""
        unfinished = {
            os.path.splitext(lower)[0]
            for lower in map(str.lower, listing.others)
            if lower.endswith(_UNFINISHED)
        }
        reasons = {
            name: reason
            for name in listing.photos
            if (reason := self._reason_against(listing, name, unfinished)) is not None
        }
        photos = Names([name for name in listing.photos if name not in reasons])
        return Found(listing.folder, photos, reasons, listing.others)

    def _reason_against(self, listing: Listing, name: str, unfinished: set[str]) -> Reason | None:
        """Say why a photo is not input, if so; `unfinished` are in lower case."""
        if name.startswith("~") or name.lower() in unfinished:
            return Reason.UNFINISHED
        if not self.include and not self.exclude:
            return None
        path = (listing.folder / name).relative_to(self.folder)
        if self.include and not _matches(path, self.include):
            return Reason.EXCLUDED
        return Reason.EXCLUDED if _matches(path, self.exclude) else None

    def _is_output(self, folder: Path) -> bool:
        """Tell whether a subfolder is one that photos are filed into, or the destination."""
        names = {name.casefold() for name in self.class_folders | SET_APART}
        return folder.name.casefold() in names or _same(folder, self.destination)


def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
    """Match a name, or where a pattern has a slash the path below the inbox; in any case."""
    for pattern in patterns:
        against = path.as_posix() if "/" in pattern else path.name
        if fnmatchcase(against.casefold(), pattern.casefold()):
            return True
    return False


def _same(one: Path, other: Path) -> bool:
    """Compare folders as the file system does: links are followed, case may not matter."""
    try:
        return one.samefile(other)
    except OSError:
        return False
