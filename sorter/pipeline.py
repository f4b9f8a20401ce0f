"""Photos in, outcomes out: looked at, routed, put in their place, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from core.classifier import Classifier
from core.errors import UnreadableImage
from core.inference import Answer, predict_photos
from sorter.identity import FileIdentity
from sorter.mover import Mover
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import Routes


def sort_photos(
    classifier: Classifier, photos: Iterable[Path], routes: Routes, mover: Mover
) -> Iterator[FileOutcome]:
    """Sort photos in their order; each outcome is given once its file is in its place."""
    identities: dict[Path, FileIdentity | None] = {}

    def identified() -> Iterator[Path]:
        for photo in photos:
            identities[photo] = FileIdentity.of(photo)
            yield photo

    for answer in predict_photos(classifier, identified()):
        yield _put_away(answer, identities.pop(answer.path), routes, mover)


def _put_away(
    answer: Answer, looked_at: FileIdentity | None, routes: Routes, mover: Mover
) -> FileOutcome:
    """Put one photo into its place, or say why it stays."""
    unreadable = answer.outcome if isinstance(answer.outcome, UnreadableImage) else None
    seen = FileOutcome(
        answer.path,
        Outcome.FAILED if unreadable else Outcome.LEFT,
        prediction=None if isinstance(answer.outcome, UnreadableImage) else answer.outcome,
        message=str(unreadable) if unreadable else None,
        looked_at=looked_at,
    )
    route = routes.of(answer.outcome)
    if looked_at is None and not unreadable:  # it came while it was being read
        return replace(seen, reason=Reason.CHANGED)
    if route.folder is None or looked_at is None:
        return replace(seen, reason=route.reason)
    placed = mover.place(answer.path, route.folder, looked_at)
    return replace(
        seen,
        outcome=placed.outcome,
        reason=placed.reason or route.reason,
        destination=placed.destination,
        message=placed.message or seen.message,
    )
