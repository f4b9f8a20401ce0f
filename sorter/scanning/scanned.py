"""What a scan of a folder found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from os.path import splitext
from pathlib import Path

from core.images.listing import is_photo_name
from core.paths import display
from sorter.names import fold
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.sidecars.name_patterns import is_raw_name


class SkippedBecause(StrEnum):
    """Why a folder is not scanned."""

    OTHER_STORE = "other-store"
    CLASS_FOLDER = "class-folder"  # by its name: it is not where this run files photos
    EXCLUDED = "excluded"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Skipped:
    folder: Path
    why: SkippedBecause
    error: OSError | None = None

    @property
    def failure(self) -> FileOutcome | None:
        """The outcome of a folder that cannot be listed; None for one skipped on purpose."""
        if self.error is None:
            return None
        denied = isinstance(self.error, PermissionError)
        remedy = "Change its permissions" if denied else "Check the disk"
        return FileOutcome(
            self.folder,
            Outcome.FAILED,
            Reason.NO_PERMISSION if denied else Reason.IO_ERROR,
            message=f"{display(self.folder)} cannot be listed ({self.error.strerror}), and what "
            f"is in it stays. {remedy}, or leave it out with --exclude.",
        )


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
class ScannedFolder:
    folder: Path
    photos: Names  # that are input
    passed_over: dict[str, Reason]  # photos that are not, or not yet
    others: tuple[str, ...]  # no photos
    raws: tuple[str, ...] = ()  # of these, raw photos of which no photo is here: they are input

    @property
    def names(self) -> list[str]:
        return [*self.photos, *self.passed_over, *self.others]

    @property
    def photos_of_other_names(self) -> set[str]:
        """The photos that are not named as photos are: without a suffix, raw, or asked for."""
        return {name for name in self.photos if not is_photo_name(name)} | {*self.raws}


def raws_alone(names: Iterable[str], photos: Iterable[str]) -> list[str]:
    """Return the raw photos among names that no photo of their name is beside."""
    raws = [name for name in names if is_raw_name(name)]
    if not raws:
        return []
    there = {fold(splitext(photo)[0]) for photo in photos}
    return [raw for raw in raws if fold(splitext(raw)[0]) not in there]
