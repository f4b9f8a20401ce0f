"""Photos in, outcomes out: looked at, routed, put in their place, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from core.classifier import Classifier
from core.errors import UnreadableImage
from core.inference import Answer, predict_photos
from sorter.mover import FileIdentity, Mover
from sorter.outcome import FileOutcome, Outcome
from sorter.routes import Routes


def sort_photos(
    classifier: Classifier, photos: Iterable[Path], routes: Routes, mover: Mover
) -> Iterator[FileOutcome]:
    """Sort photos in their order; each outcome is given once its file is in its place."""
    identities: dict[Path, FileIdentity | None] = {}

    def identified() -> Iterator[Path]:
        for photo in photos:
            try:
                identities[photo] = FileIdentity.of(photo)
            except OSError:
                identities[photo] = None  # reading it will say why
            yield photo

    for answer in predict_photos(classifier, identified()):
        yield _settle(answer, identities.pop(answer.path), routes, mover)


def _settle(
    answer: Answer, looked_at: FileIdentity | None, routes: Routes, mover: Mover
) -> FileOutcome:
    route = routes.of(answer.outcome)
    unreadable = answer.outcome if isinstance(answer.outcome, UnreadableImage) else None
    prediction = None if isinstance(answer.outcome, UnreadableImage) else answer.outcome
    if route.folder is None or looked_at is None:
        return FileOutcome(
            answer.path,
            Outcome.FAILED if unreadable else Outcome.LEFT,
            reason=route.reason,
            prediction=prediction,
            message=str(unreadable) if unreadable else None,
        )
    placed = mover.place(answer.path, route.folder, looked_at)
    return FileOutcome(
        answer.path,
        placed.outcome,
        reason=placed.reason.value if placed.reason else route.reason,
        destination=placed.destination,
        prediction=prediction,
        message=placed.message,
    )
