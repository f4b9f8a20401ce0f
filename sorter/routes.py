"""From a decision to a folder."""

from __future__ import annotations

from dataclasses import dataclass
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

    def of(self, outcome: Prediction | UnreadableImage) -> Route:
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
        return Route(self.destination / seen.folder)

    def _apart(self, name: str) -> Path | None:
        return self.destination / name if self.move_others else None
