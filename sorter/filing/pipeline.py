"""Photos in, outcomes out: looked at, routed, planned, put in their places."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import CatdogError, UnreadableCode, UnreadableImage
from core.model.classifier import Classifier
from core.model.verdict import Prediction
from sorter.filing.mover import Mover, Request
from sorter.filing.predictions import Seen, Stumbled, look_at
from sorter.identity import FileIdentity
from sorter.moving.completeness import STILL_SECONDS, is_complete
from sorter.moving.failures import Placed, bug_words, stumbled
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import Routes
from sorter.sidecars.matching import Sidecars
from sorter.sidecars.name_patterns import is_raw_name

# The journal is written once for so many photos, or when the first has waited for so long.
_BATCH = 64
_BATCH_SECONDS = 0.5

# What a file is called that an upload has only begun: it is told once nothing more can come.
_MAY_BE_A_BEGINNING = frozenset(
    {UnreadableCode.EMPTY, UnreadableCode.TRUNCATED, UnreadableCode.NOT_AN_IMAGE}
)

_STAYED = frozenset({Outcome.LEFT, Outcome.DUPLICATE, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Sorting:
    """All that decides where a photo goes."""

    classifier: Classifier
    routes: Routes
    mover: Mover
    sidecars: Sidecars
    copy: bool = False
    still_seconds: float = STILL_SECONDS  # see writers.py
    was_filed: Callable[[Path], bool] = lambda _: False  # asked of a photo that is gone


def sort_photos(
    sorting: Sorting, photos: Iterable[Path]
) -> Generator[list[FileOutcome], None, None]:
    """Sort photos in their order; for each, give what came of it once it is in its place.

    What goes with a photo has outcomes of its own, after the photo's: whoever stops in between
    has all of those that were moved. Raises StoreUnusable.
    """
    for batch in _batches(look_at(sorting.classifier, photos)):
        decided = [_decide(sorting, seen) for seen in batch]
        requests = [choice for choice in decided if isinstance(choice, Request)]
        with closing(sorting.mover.place(requests)) as places:
            for seen, choice in zip(batch, decided, strict=True):
                if isinstance(choice, FileOutcome):
                    yield [choice]
                    continue
                photo, *sidecars = next(places)
                if photo.outcome in _STAYED:
                    sorting.sidecars.put_back(photo.source)
                outcome = replace(_told(sorting, seen, photo), dated=choice.dated)
                yield [outcome, *map(sidecar_outcome, sidecars)]


def sidecar_outcome(placed: Placed) -> FileOutcome:
    """Say what came of a file that goes with a photo."""
    return FileOutcome(
        placed.source,
        placed.outcome,
        reason=placed.reason,
        destination=placed.destination,
        message=placed.message,
    )


def _batches(items: Iterator[Seen]) -> Iterator[list[Seen]]:
    """Collect what there is to decide, a few at a time and none for long."""
    batch: list[Seen] = []
    since = time.monotonic()
    for item in items:
        if not batch:
            since = time.monotonic()
        batch.append(item)
        if len(batch) >= _BATCH or time.monotonic() - since >= _BATCH_SECONDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _decide(sorting: Sorting, seen: Seen) -> Request | FileOutcome:
    """Ask for a place for a photo, or say why it stays, were it a bug."""
    try:
        if not isinstance(seen.answer, Stumbled):
            return _choose(sorting, seen, seen.answer)
    except CatdogError:
        raise
    except Exception as error:
        stumbled(seen.path, error)
    return FileOutcome(
        seen.path,
        Outcome.FAILED,
        reason=Reason.INTERNAL_ERROR,
        message=bug_words(seen.path),
        identity=seen.identity,
    )


def _choose(
    sorting: Sorting, seen: Seen, answer: Prediction | UnreadableImage
) -> Request | FileOutcome:
    unreadable = answer if isinstance(answer, UnreadableImage) else None
    prediction = None if isinstance(answer, UnreadableImage) else answer
    stays = FileOutcome(
        seen.path,
        Outcome.FAILED if unreadable else Outcome.LEFT,
        prediction=prediction,
        message=str(unreadable) if unreadable else None,
        identity=seen.identity,
    )
    if unreadable and unreadable.code is UnreadableCode.VANISHED and sorting.was_filed(seen.path):
        return replace(stays, outcome=Outcome.LEFT, reason=Reason.ANOTHER_RUN)
    if unreadable and unreadable.code is UnreadableCode.UNSUPPORTED and is_raw_name(seen.path.name):
        return replace(stays, outcome=Outcome.NOT_A_PHOTO, reason=Reason.RAW)
    if unreadable and unreadable.code in _MAY_BE_A_BEGINNING:
        if FileIdentity.of(seen.path) != seen.identity:
            return replace(stays, outcome=Outcome.LEFT, reason=Reason.CHANGED)
        if not is_complete(seen.path, sorting.still_seconds):
            return replace(stays, outcome=Outcome.LEFT, reason=Reason.BEING_WRITTEN)
    route = sorting.routes.of(seen.path, answer, lambda: sorting.sidecars.of(seen.path))
    if seen.identity is None and not unreadable:  # it came while it was being read
        return replace(stays, reason=Reason.CHANGED)
    if route.folder is None or seen.identity is None:
        return replace(stays, reason=route.reason)
    return Request(
        source=seen.path,
        folder=route.folder,
        identity=seen.identity,
        sidecars=sorting.sidecars.take(seen.path, copy=sorting.copy),
        prediction=prediction,
        reason=route.reason,
        digests=seen.digests,
        dated=route.dated,
    )


def _told(sorting: Sorting, seen: Seen, placed: Placed) -> FileOutcome:
    """Put together what was seen and what came of it."""
    unreadable = seen.answer if isinstance(seen.answer, UnreadableImage) else None
    outcome = FileOutcome(
        seen.path,
        placed.outcome,
        reason=placed.reason,
        destination=placed.destination,
        prediction=seen.answer if isinstance(seen.answer, Prediction) else None,
        message=placed.message or (str(unreadable) if unreadable else None),
        identity=seen.identity,
    )
    gone = placed.outcome in _STAYED and FileIdentity.of(seen.path) is None
    if gone and sorting.was_filed(seen.path):
        return replace(outcome, outcome=Outcome.LEFT, reason=Reason.ANOTHER_RUN, message=None)
    return outcome
