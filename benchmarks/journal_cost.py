"""What the journal costs a sort: the same sort with one that writes nothing down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.figures import in_turns, ratios
from benchmarks.photos import small_photos
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL
from core.store.database import Store
from sorter.filing.mover import Mover
from sorter.filing.pipeline import Sorting, sort_photos
from sorter.journal.moves import PlannedMove
from sorter.journal.run import Run
from sorter.outcome import Outcome
from sorter.routes import Routes
from sorter.sidecars.matching import FolderSidecars


class NoJournal:
    """Stands in for a run of the journal, and writes nothing down."""

    token = "0" * 32

    def plan(self, groups: Sequence[Sequence[PlannedMove]]) -> list[list[PlannedMove]]:
        return [[replace(move, id=1, group_id=1) for move in group] for group in groups]

    def plan_again(self, moves: Sequence[PlannedMove]) -> None: ...

    def will_copy(self) -> None: ...

    def done(self, move: PlannedMove, filed: object = None) -> None: ...

    def failed(self, move: PlannedMove, reason: str) -> None: ...

    def flush(self) -> None: ...

    def end(self) -> None: ...


def cost_ratios(
    photos: Sequence[Path], work: Path, *, files: int, rounds: int
) -> tuple[float, ...]:
    """Divide the time with the journal by the time without, round by round."""
    classifier = Classifier(DEFAULT_MODEL)
    seconds_per_file(classifier, photos, min(files, 300), work / "warm", journal=True)
    sort = partial(seconds_per_file, classifier, photos, files, work / "cost")
    times = in_turns(
        {"with": partial(sort, journal=True), "without": partial(sort, journal=False)}, rounds
    )
    return ratios(times["with"], times["without"])


def seconds_per_file(
    classifier: Classifier, photos: Sequence[Path], number: int, folder: Path, *, journal: bool
) -> float:
    """Sort so many photos, all of which are moved; start-up and listing left out."""
    inbox = folder / "inbox"
    names = small_photos(photos, number, inbox)
    store = Store(folder / "state")
    run: Any = Run(store, "sort", inbox, inbox) if journal else NoJournal()
    routes = Routes(classifier.manifest, inbox, move_others=True)
    sidecars = {inbox: FolderSidecars([path.name for path in names])}
    sorting = Sorting(classifier, routes, Mover(run, inbox))
    begin = time.perf_counter()
    outcomes = chain.from_iterable(sort_photos(sorting, sidecars, names))
    moved = sum(outcome.outcome is Outcome.MOVED for outcome in outcomes)
    run.end()
    taken = time.perf_counter() - begin
    assert moved == number, f"{moved} of {number} were moved"
    store.close()
    shutil.rmtree(folder)
    return taken / number
