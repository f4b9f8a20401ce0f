"""A run over an archive: what is to be done, done somewhere, published part by part."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.archive.ahead import Ahead
from core.archive.archive_extra import load
from core.archive.classify import Looking, classify
from core.archive.known import PHOTOS_IN_A_PART, Again, Chunk, Known, Tally, chunks
from core.archive.row import as_table, keys_of
from core.archive.sources.source import Source
from core.archive.table import Table

PHOTOS_IN_A_TASK = 50  # about a second of a core's


@dataclass(frozen=True, slots=True)
class Task:
    """Photos of a chunk that are classified together."""

    chunk: int
    start: int  # place of the first in the chunk
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of a task."""

    chunk: int
    start: int
    rows: Any  # pyarrow.Table


# classifies tasks, and may answer in any order
Mapper = Callable[[Iterator[Task]], Iterable[Answered]]


class Progress(Protocol):
    """Is called as a run goes on."""

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        """Hear how many photos are done, how many of those are errors, and how many there are."""


@dataclass(slots=True)
class Outcome:
    """What a run did."""

    tally: Tally = field(default_factory=Tally)
    done: int = 0  # in this run, published
    errors: Counter[str] = field(default_factory=Counter)  # by code
    verdicts: Counter[str] = field(default_factory=Counter)
    parts: int = 0  # written


@dataclass(slots=True)
class _Open:
    """A chunk whose rows are coming in."""

    chunk: Chunk
    rows: dict[int, Any] = field(default_factory=dict)  # by place of the first
    missing: int = 0

    def in_order(self) -> Any:
        return load("pyarrow").concat_tables([self.rows[start] for start in sorted(self.rows)])


def archive(
    sources: Iterable[Source],
    table: Table,
    mapper: Mapper,
    progress: Progress,
    *,
    again: Again,
    photos_in_a_part: int = PHOTOS_IN_A_PART,
) -> Outcome:
    """Classify what of the sources the table does not hold yet, and publish it part by part.

    The table must be locked. Whenever this ends, killed or not, the table is whole: each part
    is there with all its rows, or not at all.
    """
    known = Known(table, again)
    outcome = Outcome()
    ahead = Ahead(chunks(sources, known, outcome.tally, most=photos_in_a_part))
    waiting: dict[int, _Open] = {}

    def tasks() -> Iterator[Task]:
        for chunk in ahead:
            waiting[chunk.number] = _Open(chunk, missing=len(chunk.sources))
            for start in range(0, len(chunk.sources), PHOTOS_IN_A_TASK):
                some = chunk.sources[start : start + PHOTOS_IN_A_TASK]
                yield Task(chunk.number, start, some)

    answered = errors = 0
    for answer in mapper(tasks()):
        is_open = waiting[answer.chunk]
        is_open.rows[answer.start] = answer.rows
        is_open.missing -= answer.rows.num_rows
        answered += answer.rows.num_rows
        errors += answer.rows.num_rows - answer.rows["error"].null_count
        progress.on_progress(answered, errors, outcome.tally.to_do, is_all=ahead.is_complete)
        if not is_open.missing:
            _publish(table, waiting.pop(answer.chunk), outcome)
    assert not waiting, "a mapper answers every task"
    return outcome


def _publish(table: Table, is_open: _Open, outcome: Outcome) -> None:
    rows = is_open.in_order()
    outcome.done += rows.num_rows
    outcome.parts += 1
    outcome.errors.update(code for code in rows["error"].to_pylist() if code is not None)
    outcome.verdicts.update(one for one in rows["verdict"].to_pylist() if one is not None)
    part = is_open.chunk.replaces
    if part is not None:
        rows = _put_into(table.read(part), rows)
    table.publish(rows, name=part)


def _put_into(part: Any, rows: Any) -> Any:
    """Put rows into a part, in the places of those of the same photos."""
    places = {key: index for index, key in enumerate(keys_of(part))}
    order = list(range(part.num_rows))
    for number, key in enumerate(keys_of(rows)):
        order[places[key]] = part.num_rows + number
    return load("pyarrow").concat_tables([part, rows]).take(order)


def map_here(looking: Looking) -> Mapper:
    """Make a mapper that classifies on all cores of this machine."""

    def answers(tasks: Iterator[Task]) -> Iterator[Answered]:
        waiting: deque[Task] = deque()

        def sources() -> Iterator[Source]:
            for task in tasks:
                waiting.append(task)
                yield from task.sources

        rows = []
        for row in classify(sources(), looking):
            rows.append(row)
            if len(rows) == len(waiting[0].sources):
                task = waiting.popleft()
                table = as_table(rows, embeddings=looking.embeddings)
                yield Answered(task.chunk, task.start, table)
                rows = []

    return answers
