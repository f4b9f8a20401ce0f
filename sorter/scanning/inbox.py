"""The folder to sort: which of its files are input, and which folders are refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from core.errors import UsageRefused
from core.images.listing import Listing, is_image_name, list_folders
from core.images.other_stores import first_library, is_other_store
from core.paths import display
from sorter.moving.filesystem import is_same_folder
from sorter.outcome import Reason
from sorter.routes import QUARANTINE_FOLDERS
from sorter.scanning.downloads import unfinished_downloads
from sorter.scanning.patterns import excludes, includes
from sorter.scanning.scanned import Names, ScannedFolder, Skipped, SkippedBecause, raws_alone
from sorter.sidecars.name_patterns import DEFAULT_NAMES, SidecarNames, is_raw_name


@dataclass(frozen=True, slots=True)
class Inbox:
    """A folder to sort and where its photos go."""

    folder: Path
    destination: Path
    recursive: bool
    class_folders: frozenset[str]  # names, of the model in use and of all others
    include: tuple[str, ...] = ()  # patterns; none: all photos
    exclude: tuple[str, ...] = ()
    sidecars: SidecarNames = DEFAULT_NAMES
    raw: bool = True  # raw photos alone are input, by their own preview

    def check(self) -> None:
        """Raise UsageRefused if sorting this folder makes no sense or would sort its own work."""
        if not os.path.isdir(self.folder):
            raise UsageRefused(f"{display(self.folder)} is not a folder. Name one that is there.")
        if os.path.lexists(self.destination) and not os.path.isdir(self.destination):
            raise UsageRefused(f"{display(self.destination)} is not a folder. Choose another.")
        library = first_library(self.folder.resolve().parts)
        if library is not None:
            raise UsageRefused(
                f"{display(self.folder)} is in {library}, which another program keeps: what is "
                "taken out is lost to it. Have it export the photos, and sort these."
            )
        inside = [self.folder.resolve(), *self.folder.resolve().parents]
        for name in sorted(self.class_folders):
            filed = self.destination / name
            if any(is_same_folder(filed, folder) for folder in inside):
                raise UsageRefused(
                    f"{display(self.folder)} is where photos are filed ({display(filed)}). "
                    "Sort another folder, or choose another place with --into."
                )

    def scan(self, on_skip: Callable[[Skipped], None] = lambda _: None) -> Iterator[ScannedFolder]:
        """List what is there now, folder by folder, in the order of names.

        `on_skip` is called for folders that are not scanned, except for those that this inbox is
        filed into and hidden ones. Raises OSError.
        """

        def skip(folder: Path) -> bool:
            why = self._skips(folder)
            if why is not None:
                on_skip(Skipped(folder, why))
            return why is not None or self._is_own_output(folder)

        def unlisted(folder: Path, error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):  # gone meanwhile
                on_skip(Skipped(folder, SkippedBecause.UNREADABLE, error))

        for listing in list_folders(
            self.folder, recursive=self.recursive, skip=skip, unlisted=unlisted
        ):
            yield self._scanned(listing)

    def scan_folder(self, folder: Path) -> ScannedFolder | None:
        """List one folder; None if it is gone."""
        try:
            return self._scanned(next(list_folders(folder)))
        except OSError:
            return None

    def takes(self, path: Path) -> bool:
        """Return by its name alone whether a path may be a photo that is input, or a sidecar."""
        if not self.holds(path.parent) or path.name.startswith("."):
            return False
        name = path.name
        return (
            is_image_name(name) or self.sidecars.is_sidecar(name) or not os.path.splitext(name)[1]
        )

    def holds(self, folder: Path) -> bool:
        """Return whether a folder is one whose photos are input."""
        try:
            below = folder.relative_to(self.folder)
        except ValueError:
            return False
        if not below.parts:
            return True
        if not self.recursive or any(part.startswith(".") for part in below.parts):
            return False
        folders = [below, *below.parents][:-1]  # the last is the inbox itself
        return not any(
            self._skips(one) or self._is_own_output(one)
            for one in (self.folder / folder for folder in folders)
        )

    def _scanned(self, listing: Listing) -> ScannedFolder:
        """Choose what is input; of a hundred thousand names only those that matter are copied."""
        unfinished = unfinished_downloads(listing)
        asked_for = {name for name in listing.others if self._is_asked_for(listing, name)}
        reasons = {
            name: reason
            for name in chain(listing.photos, asked_for)
            if (reason := self._reason_against(listing, name, unfinished)) is not None
        }
        raws = tuple(
            name
            for name in (raws_alone(listing.others, listing.photos) if self.raw else ())
            if self._reason_against(listing, name, unfinished) is None
        )
        names = sorted([*listing.photos, *asked_for]) if asked_for else listing.photos
        photos = Names([name for name in names if name not in reasons])
        others = tuple(name for name in listing.others if name not in asked_for)
        return ScannedFolder(listing.folder, photos, reasons, others, raws)

    def _is_asked_for(self, listing: Listing, name: str) -> bool:
        """Return whether --include names an image that is of no format of cameras."""
        if not self.include or not is_image_name(name) or is_raw_name(name):
            return False
        return includes(self.include, (listing.folder / name).relative_to(self.folder))

    def _reason_against(self, listing: Listing, name: str, unfinished: set[str]) -> Reason | None:
        """Return why a photo is not input, if so; `unfinished` are in lower case."""
        if name.startswith("~") or name.lower() in unfinished:
            return Reason.UNFINISHED
        if not self.include and not self.exclude:
            return None
        path = (listing.folder / name).relative_to(self.folder)
        if self.include and not includes(self.include, path):
            return Reason.EXCLUDED
        return Reason.EXCLUDED if excludes(self.exclude, path, is_folder=False) else None

    def _skips(self, folder: Path) -> SkippedBecause | None:
        """Return why a subfolder is no input, if not simply since this inbox is filed into it."""
        if is_other_store(folder.name):
            return SkippedBecause.OTHER_STORE
        if folder.name.startswith("."):
            return None
        is_filed_into = folder.name.casefold() in self._output_names
        if is_filed_into and not self._is_own_output(folder):
            return SkippedBecause.CLASS_FOLDER
        below = folder.relative_to(self.folder)
        if self.exclude and excludes(self.exclude, below, is_folder=True):
            return SkippedBecause.EXCLUDED
        return None

    def _is_own_output(self, folder: Path) -> bool:
        """Return whether a subfolder is one that photos are filed into, or the destination."""
        there = self.destination
        if folder.name.casefold() in self._output_names and is_same_folder(folder.parent, there):
            return any(is_same_folder(folder, there / name) for name in self._folder_names)
        return is_same_folder(folder, there)

    @property
    def _folder_names(self) -> frozenset[str]:
        return self.class_folders | QUARANTINE_FOLDERS

    @property
    def _output_names(self) -> set[str]:
        return {name.casefold() for name in self._folder_names}
