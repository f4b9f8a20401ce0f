"""Photos in, outcomes out: read and judged, given a destination, planned, moved."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CatdogError, UnreadableCode, UnreadableImage
from core.model.classifier import Classifier
from core.paths import display
from core.runtime.lookahead import map_ahead
from sorter.digests import Reading
from sorter.filing.mover import Mover
from sorter.identity import FileIdentity
from sorter.journal.moves import Group
from sorter.moving.completeness import is_complete
from sorter.moving.failures import internal_error
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import Routes
from sorter.sidecars.matching import NO_SIDECARS, FolderSidecars, Sidecars
from sorter.sidecars.name_patterns import is_raw_name

if TYPE_CHECKING:
    from core.archive.table_answers import TableAnswers

# Verdicts are small: so many wait that the cores have work while their taker writes to disk
_AHEAD_PER_CORE = 32

# The journal is written once for so many photos, or when the first has waited for so long.
_BATCH = 64
_BATCH_SECONDS = 0.5

# What a file is called that an upload has only begun: it fails once nothing more can come.
_MAY_BE_A_BEGINNING = frozenset(
    {UnreadableCode.EMPTY, UnreadableCode.TRUNCATED, UnreadableCode.NOT_AN_IMAGE}
)


@dataclass(frozen=True, slots=True)
class Sorting:
    """All that decides where a photo goes, and brings it there."""

    classifier: Classifier
    routes: Routes
    mover: Mover
    was_filed: Callable[[Path], bool] = lambda _: False  # by another run; of a photo that is gone
    answers: TableAnswers | None = None  # to file by, instead of looking


def sort_photos(
    sorting: Sorting, sidecars: Sidecars, photos: Iterable[Path]
) -> Generator[list[FileOutcome], None, None]:
    """Sort photos in their order; yield the outcomes of each and its sidecars once it is in place.

    A caller that stops in between has the outcomes of all that was moved. Raises StoreUnusable.
    """
    for batch in _batches(_judge_photos(sorting, photos)):
        decided = [_decide(sorting, sidecars, photo) for photo in batch]
        groups = [group for _, group in decided if group]
        with closing(sorting.mover.place(groups)) as places:
            for photo, group in decided:
                if not group:
                    yield [photo]
                    continue
                moved, *with_it = next(places)
                if not moved.has_moved:
                    sidecars.get(moved.path.parent, NO_SIDECARS).put_back(moved.path.name)
                yield [_complete(sorting, photo, moved), *with_it]


def _judge_photos(sorting: Sorting, photos: Iterable[Path]) -> Iterator[FileOutcome]:
    """Yield each photo with its verdict, read ahead on all cores, or with why it is unreadable."""

    def read(photo: Path) -> FileOutcome:
        identity = FileIdentity.of(photo)
        outcome = FileOutcome(photo, identity=identity)
        try:
            if sorting.answers is not None:
                return _by_table(outcome, sorting.answers, sorting.routes)
            reading = Reading(photo)
            verdict = sorting.routes.judge(sorting.classifier.classify(reading.open))
            return replace(outcome, verdict=verdict, digests=reading.digests)
        except UnreadableImage as error:
            reason, message = error.code.value, str(error)
            return replace(outcome, outcome=Outcome.FAILED, reason=reason, message=message)
        except Exception as error:
            return replace(internal_error(photo, error), identity=identity)

    for _, outcome in map_ahead(read, photos, ahead_per_core=_AHEAD_PER_CORE):
        yield outcome


def _by_table(photo: FileOutcome, answers: TableAnswers, routes: Routes) -> FileOutcome:
    """Return a photo with what a table says of it, if it is the one that the table saw."""
    name = display(photo.path)
    if photo.identity is None:
        raise UnreadableImage(UnreadableCode.VANISHED, f"{name} is not there any more.")
    said = answers.of(photo.path, photo.identity.size, photo.identity.mtime_ns)
    if said is None:
        return replace(photo, reason=Reason.NOT_IN_TABLE)
    if isinstance(said, str):
        message = f"{name} could not be read when the table was made ({said})."
        return replace(photo, outcome=Outcome.FAILED, reason=said, message=message)
    return replace(photo, verdict=routes.judge(said))


def _batches(photos: Iterator[FileOutcome]) -> Iterator[list[FileOutcome]]:
    """Collect photos, a few at a time and none for long."""
    batch: list[FileOutcome] = []
    since = time.monotonic()
    for photo in photos:
        if not batch:
            since = time.monotonic()
        batch.append(photo)
        if len(batch) >= _BATCH or time.monotonic() - since >= _BATCH_SECONDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _decide(sorting: Sorting, sidecars: Sidecars, photo: FileOutcome) -> tuple[FileOutcome, Group]:
    """Return a photo with its destination and its moves; without any it is left, were it a bug."""
    try:
        here = sidecars.get(photo.path.parent, NO_SIDECARS)
        photo = _destined(sorting, here, photo)
        if photo.destination is None:
            return photo, []
        name = photo.path.name
        names = here.of(name) if sorting.mover.copies else here.take(name)
        return photo, sorting.mover.group(photo, [photo.path.with_name(one) for one in names])
    except CatdogError:
        raise
    except Exception as error:
        return replace(internal_error(photo.path, error), identity=photo.identity), []


def _destined(sorting: Sorting, here: FolderSidecars, photo: FileOutcome) -> FileOutcome:
    """Return a photo that was read with its destination, or without one and why it is left."""
    if photo.reason == Reason.INTERNAL_ERROR:
        return photo
    if photo.reason == UnreadableCode.VANISHED and sorting.was_filed(photo.path):
        return replace(photo, outcome=Outcome.LEFT, reason=Reason.ANOTHER_RUN)
    if photo.reason == UnreadableCode.UNSUPPORTED and is_raw_name(photo.path.name):
        return replace(photo, outcome=Outcome.NOT_A_PHOTO, reason=Reason.RAW)
    if photo.reason in _MAY_BE_A_BEGINNING:
        if FileIdentity.of(photo.path) != photo.identity:
            return replace(photo, outcome=Outcome.LEFT, reason=Reason.CHANGED)
        if not is_complete(photo.path, sorting.mover.still_seconds):
            return replace(photo, outcome=Outcome.LEFT, reason=Reason.BEING_WRITTEN)
    if photo.identity is None:  # it is gone, or came while it was being read
        return photo if photo.verdict is None else replace(photo, reason=Reason.CHANGED)
    path = photo.path
    return sorting.routes.route(photo, lambda: [path.with_name(one) for one in here.of(path.name)])


def _complete(sorting: Sorting, photo: FileOutcome, moved: FileOutcome) -> FileOutcome:
    """Return a photo with what came of its move."""
    outcome = replace(
        photo,
        outcome=moved.outcome,
        reason=moved.reason,
        destination=moved.destination,
        message=moved.message or photo.message,
    )
    gone = not moved.has_moved and FileIdentity.of(photo.path) is None
    if gone and sorting.was_filed(photo.path):
        return replace(outcome, outcome=Outcome.LEFT, reason=Reason.ANOTHER_RUN, message=None)
    return outcome
