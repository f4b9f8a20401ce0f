"""From a verdict to a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UnreadableCode, UnreadableImage
from core.labels import UNSURE, Role
from core.model.manifest import Manifest
from core.model.verdict import Prediction, VerdictKind, in_effect, judge
from sorter.dates.sources import Dated, date_of
from sorter.outcome import Reason

UNREADABLE = "unreadable"
OTHER = "other"
QUARANTINE_FOLDERS = frozenset({UNSURE, OTHER, UNREADABLE})

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
    dated: Dated | None = None  # with --by-date


@dataclass(frozen=True, slots=True)
class Routes:
    """The rules of one run; `threshold` is a person's own, which can only raise the model's."""

    manifest: Manifest
    destination: Path
    threshold: float | None = None
    move_others: bool = False  # what is not filed goes to unsure/, other/, unreadable/
    by_date: bool = False  # what is filed goes to cats/2026/11/

    def of(
        self,
        photo: Path,
        outcome: Prediction | UnreadableImage,
        beside: Callable[[], Sequence[Path]] = tuple,
    ) -> Route:
        """Find the way of one photo; `beside` lists what belongs to it."""
        if isinstance(outcome, UnreadableImage):
            folder = None if outcome.code in NOT_THE_CONTENT else self._apart(UNREADABLE)
            return Route(folder, outcome.code.value)
        verdict = judge(outcome, self.manifest.classes, self.threshold)
        match verdict.kind:
            case VerdictKind.UNSURE:
                return Route(self._apart(UNSURE), Reason.UNSURE.value)
            case VerdictKind.NEITHER:
                return Route(self._apart(verdict.likeliest.folder), Reason.NEITHER.value)
            case VerdictKind.BOTH:  # beside what is of neither: it has no folder of its own
                return Route(self._apart(self._other), Reason.BOTH.value)
            case VerdictKind.FILED:
                folder = self.destination / verdict.likeliest.folder
                if not self.by_date:
                    return Route(folder)
                dated = date_of(photo, beside())
                return Route(folder / dated.month, dated=dated)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """From where on photos of each class are sure to be of it, in the manifest's order."""
        return tuple(in_effect(one, self.threshold) for one in self.manifest.classes)

    @property
    def raised_to(self) -> float | None:
        """The person's threshold, if a lower one would have more photos filed."""
        filed = self.manifest.filed
        raises = any(in_effect(one, self.threshold) > one.threshold for one in filed)
        return self.threshold if raises else None

    @property
    def _other(self) -> str:
        own = (one.folder for one in self.manifest.classes if one.role is Role.NEITHER)
        return next(own, OTHER)

    def _apart(self, name: str) -> Path | None:
        return self.destination / name if self.move_others else None
