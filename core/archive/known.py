"""What a table holds already, in 32 bytes a photo, and what of a listing is new to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from core.archive.row import keys_of
from core.archive.sources.source import Source, fingerprint
from core.archive.table import Table
from core.errors import CatdogError

PHOTOS_IN_A_PART = 5_000
_AT_ONCE = 1_000  # sources that are looked up together

Digests = npt.NDArray[np.bytes_]


class TableBroken(CatdogError):
    """A table does not hold each photo once."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Photos that are to be classified, and come into one part of the table."""

    number: int
    sources: tuple[Source, ...]
    replaces: str | None = None  # the part whose rows they take the place of; its others stay


@dataclass(slots=True)
class Tally:
    """How many photos of a listing are to be classified, and how many are not, and why."""

    to_do: int = 0
    done_before: int = 0
    repeated: int = 0  # named twice in the sources
    changed: int = 0  # of those to do


@dataclass(frozen=True, slots=True)
class Again:
    """Which photos are done again although they are what they were."""

    errors: bool = False
    model: str | None = None  # those that another model than this version answered


class Known:
    """The photos of a table."""

    def __init__(self, table: Table, again: Again) -> None:
        """Read the table's parts. Raises TableBroken for a photo that stands in it twice."""
        self.parts = tuple(table.parts())
        digests, marks, counts, stale = [], [], [], []
        for part in self.parts:
            rows = table.read(part, _COLUMNS)
            keys = keys_of(rows)
            digests.append(_digests(Source(key, "") for key in keys))
            marks.append(_marks(rows))
            stale.append(_stale(rows, again))
            counts.append(len(keys))
        self.counts = np.array(counts, np.int64)
        parts = np.repeat(np.arange(len(self.parts), dtype=np.int32), self.counts)
        together = np.concatenate(digests) if digests else np.empty(0, "S16")
        order = np.argsort(together, kind="stable")
        self._digests = together[order]
        self._marks = (np.concatenate(marks) if marks else np.empty(0, np.uint64))[order]
        self._stale = (np.concatenate(stale) if stale else np.empty(0, bool))[order]
        self._parts = parts[order]
        twice = self._digests[1:] == self._digests[:-1]
        if twice.any():
            part = self.parts[int(self._parts[1:][twice][0])]
            raise TableBroken(
                f"{table.address} holds {int(twice.sum())} photos twice: two commands wrote it at "
                f"once. Delete {part} from it and start again: its photos are classified anew."
            )

    def __len__(self) -> int:
        return len(self._digests)

    def places(self, digests: Digests) -> npt.NDArray[np.intp]:
        """Find photos: their places here, -1 for those that the table does not hold."""
        return _places(self._digests, digests)

    def part(self, index: int) -> int:
        return int(self._parts[index])

    def is_current(self, index: int, source: Source) -> bool:
        return not self._stale[index] and int(self._marks[index]) == source.fingerprint


_COLUMNS = ["path", "path_bytes", "etag", "size", "mtime_ns", "error", "model_version"]


def _marks(rows: object) -> npt.NDArray[np.uint64]:
    columns = (rows[name].to_pylist() for name in ("etag", "size", "mtime_ns"))  # type: ignore[index]
    return np.array([fingerprint(*one) for one in zip(*columns, strict=True)], np.uint64)


def _stale(rows: object, again: Again) -> npt.NDArray[np.bool_]:
    errors = rows["error"].to_pylist()  # type: ignore[index]
    models = rows["model_version"].to_pylist()  # type: ignore[index]
    return np.array(
        [
            (again.errors and error is not None)
            or (again.model is not None and model != again.model)
            for error, model in zip(errors, models, strict=True)
        ],
        bool,
    )


@dataclass(slots=True)
class _Digests:
    """Photos that were listed in this run: sorted arrays of growing size, 16 bytes a photo."""

    arrays: list[Digests] = field(default_factory=list)

    def add(self, digests: Digests) -> npt.NDArray[np.bool_]:
        """Take photos in, and tell which were new."""
        _, first = np.unique(digests, return_index=True)
        new = np.zeros(len(digests), bool)
        new[first] = True
        for array in self.arrays:
            new &= _places(array, digests) < 0
        if new.any():
            self.arrays.append(np.sort(digests[new]))
        while len(self.arrays) > 1 and len(self.arrays[-2]) <= 2 * len(self.arrays[-1]):
            last = self.arrays.pop()
            self.arrays[-1] = np.sort(np.concatenate([self.arrays[-1], last]))
        return new


def chunks(
    sources: Iterable[Source], known: Known, tally: Tally, *, most: int = PHOTOS_IN_A_PART
) -> Iterator[Chunk]:
    """Return what of the sources is to be classified: new photos in chunks, changed ones by part.

    A chunk is full before the next begins, whatever was done before, so that a run that was
    killed makes the same parts when it is started again.
    """
    number = 0
    listed = _Digests()
    new: list[Source] = []
    changed: dict[int, list[Source]] = {}
    met = np.zeros(len(known.parts), np.int64)
    while some := tuple(islice(sources := iter(sources), _AT_ONCE)):
        digests = _digests(some)
        first_time, places = listed.add(digests), known.places(digests)
        for source, is_first, index in zip(some, first_time, places.tolist(), strict=True):
            if not is_first:
                tally.repeated += 1
                continue
            if index < 0:
                tally.to_do += 1
                new.append(source)
                if len(new) == most:
                    yield Chunk(number, tuple(new))
                    number, new = number + 1, []
                continue
            part = known.part(index)
            met[part] += 1
            if known.is_current(index, source):
                tally.done_before += 1
            else:
                tally.to_do, tally.changed = tally.to_do + 1, tally.changed + 1
                changed.setdefault(part, []).append(source)
            if met[part] == known.counts[part] and part in changed:  # nothing more of it can come
                yield Chunk(number, tuple(changed.pop(part)), known.parts[part])
                number += 1
    for part, again in changed.items():
        yield Chunk(number, tuple(again), known.parts[part])
        number += 1
    if new:
        yield Chunk(number, tuple(new))


def _digests(sources: Iterable[Source]) -> Digests:
    return np.array([source.digest for source in sources], "S16")


def _places(array: Digests, wanted: Digests) -> npt.NDArray[np.intp]:
    if not len(array):
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(array, wanted), len(array) - 1)
    return np.where(array[places] == wanted, places, -1)
