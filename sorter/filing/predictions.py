"""Photos read and judged ahead on all cores; whatever goes wrong with one is its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from core.errors import UnreadableImage
from core.model.classifier import Classifier
from core.runtime.lookahead import map_ahead
from sorter.digests import Reading
from sorter.identity import FileIdentity
from sorter.moving.failures import internal_error
from sorter.outcome import FileOutcome, Outcome
from sorter.routes import Routes

# Verdicts are small: so many wait that the cores have work while their taker writes to disk
_AHEAD_PER_CORE = 32


def judge_photos(
    classifier: Classifier, routes: Routes, photos: Iterable[Path]
) -> Iterator[FileOutcome]:
    """Yield each photo with its verdict, in order; it is left for now, or failed to be read."""

    def read(photo: Path) -> FileOutcome:
        identity = FileIdentity.of(photo)
        outcome = FileOutcome(photo, identity=identity)
        try:
            reading = Reading(photo)
            verdict = routes.judge(classifier.classify(reading.open))
            return replace(outcome, verdict=verdict, digests=reading.digests)
        except UnreadableImage as error:
            reason, message = error.code.value, str(error)
            return replace(outcome, outcome=Outcome.FAILED, reason=reason, message=message)
        except Exception as error:
            return replace(internal_error(photo, error), identity=identity)

    for _, outcome in map_ahead(read, photos, ahead_per_core=_AHEAD_PER_CORE):
        yield outcome
