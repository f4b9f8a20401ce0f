"""From a decision to a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import UnreadableCode, UnreadableImage
from core.labels import UNSURE, Role
from core.manifest import Manifest
from core.prediction import Prediction, decide
from sorter.outcome import Reason

UNREADABLE = "unreadable"
OTHER = "other"
SET_APART = frozenset({UNSURE, OTHER, UNREADABLE})

# A file that may be there and well, but not for us, is never moved to unreadable/
NOT_THE_CONTENT = {
    UnreadableCode.NO_PERMISSION,
    UnreadableCode.VANISHED,
    UnreadableCode.IO_ERROR,
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a photo belongs: a folder, or None for where it is, and if that is not a class: why."""

    folder: Path | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """The rules of one run."""

    manifest: Manifest
    destination: Path
    threshold: float
    move_others: bool = False  # what is not filed goes to unsure/, other/, unreadable/
    by_date: bool = False  # what is filed goes to cats/2026/11/

    def of(self, photo: Path, outcome: Prediction | UnreadableImage) -> Route:
        """Find the way of one photo."""
        if isinstance(outcome, UnreadableImage):
            folder = None if outcome.code in NOT_THE_CONTENT else self._apart(UNREADABLE)
            return Route(folder, outcome.code.value)
        decision = decide(outcome, self.threshold)
        if not decision.is_sure:
            return Route(self._apart(UNSURE), Reason.UNSURE.value)
        seen = self.manifest.class_of(outcome.label)
        if seen.role is Role.NEITHER:
            return Route(self._apart(seen.folder), Reason.NEITHER.value)
        folder = self.destination / seen.folder
        return Route(folder / _month(photo) if self.by_date else folder)

    def _apart(self, name: str) -> Path | None:
        return self.destination / name if self.move_others else None


def _month(photo: Path) -> str:
    """Give `2026/11` for when a photo was taken, or last changed if it does not say."""
    from core.exif import taken_at

    try:
        when = taken_at(photo) or datetime.fromtimestamp(photo.stat().st_mtime)
    except (OSError, ValueError, OverflowError):  # gone meanwhile, or a time no calendar has
        return "undated"
    return f"{when:%Y/%m}"
