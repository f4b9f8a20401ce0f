"""From a verdict to a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UnreadableCode
from core.labels import UNSURE, PhotoClass, Role
from core.model.manifest import Manifest
from core.model.verdict import Prediction, Verdict, VerdictKind, in_effect, judge
from sorter.dates import date_of
from sorter.outcome import FileOutcome, Reason

UNREADABLE = "unreadable"
OTHER = "other"
QUARANTINE_FOLDERS = frozenset({UNSURE, OTHER, UNREADABLE})

# A file that may be there and well, but not for us, is never moved to unreadable/
UNREADABLE_CONTENT = {code.value for code in UnreadableCode} - {
    UnreadableCode.NO_PERMISSION.value,
    UnreadableCode.VANISHED.value,
    UnreadableCode.IO_ERROR.value,
}


@dataclass(frozen=True, slots=True)
class Routes:
    """The rules of one run; `threshold` is a person's own, which can only raise the model's."""

    manifest: Manifest
    destination: Path
    threshold: float | None = None
    move_others: bool = False  # what is not filed goes to unsure/, other/, unreadable/
    by_date: bool = False  # what is filed goes to cats/2026/11/

    def judge(self, prediction: Prediction) -> Verdict:
        return judge(prediction, self.manifest.classes, self.threshold)

    def route(self, photo: FileOutcome, notes: Callable[[], Sequence[Path]] = tuple) -> FileOutcome:
        """Return a photo that was read with its destination, or why it is not filed.

        `notes` lists the sidecars that may have its date.
        """
        verdict = photo.verdict
        if verdict is None:
            has_bad_content = photo.reason in UNREADABLE_CONTENT
            return self._set_aside(photo, UNREADABLE if has_bad_content else None, photo.reason)
        match verdict.kind:
            case VerdictKind.UNSURE:
                return self._set_aside(photo, UNSURE, Reason.UNSURE)
            case VerdictKind.NEITHER | VerdictKind.BOTH:
                folder = self.folder_of(verdict.likeliest)
                destination = folder / photo.path.name if folder else None
                reason = Reason(verdict.kind.value)
                return replace(photo, reason=reason, destination=destination)
            case VerdictKind.FILED:
                folder = self.destination / verdict.likeliest.folder
                dated = date_of(photo.path, notes()) if self.by_date else None
                if dated is not None:
                    folder /= dated.month
                return replace(photo, destination=folder / photo.path.name, dated=dated)

    def folder_of(self, photo_class: PhotoClass) -> Path | None:
        """Return the folder that photos of a class go into; None: they are left."""
        if photo_class.role is not Role.FILE and not self.move_others:
            return None
        if photo_class.role is Role.BOTH:  # with what is of neither: it has no folder of its own
            others = (one.folder for one in self.manifest.classes if one.role is Role.NEITHER)
            return self.destination / next(others, OTHER)
        return self.destination / photo_class.folder

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The thresholds in effect, in the manifest's order of classes."""
        return tuple(in_effect(one, self.threshold) for one in self.manifest.classes)

    @property
    def raised_to(self) -> float | None:
        """The person's threshold, if a lower one would have more photos filed."""
        filed = self.manifest.filed
        raises = any(in_effect(one, self.threshold) > one.threshold for one in filed)
        return self.threshold if raises else None

    def _set_aside(self, photo: FileOutcome, folder: str | None, reason: str | None) -> FileOutcome:
        """Return a photo that is not filed; `folder` is its quarantine folder, if it has one."""
        if folder is None or not self.move_others:
            return replace(photo, reason=reason)
        destination = self.destination / folder / photo.path.name
        return replace(photo, reason=reason, destination=destination)
