"""Puts back what still stands where catdog put it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from core.errors import UsageRefused
from core.store.database import Store, columns_below, to_column
from sorter.filing.carry import TornApart, carry_out
from sorter.identity import FileIdentity, regular
from sorter.journal.found_again import (
    FoundAgain,
    LeftBecause,
    groups_in_renamed,
    is_it,
    unchanged,
)
from sorter.journal.journal import UNDO, Kind, PlannedMove, Run, RunRecord, read_moves, read_runs
from sorter.moving.failures import failure_of
from sorter.moving.transfer import ChangedMeanwhile, same_bytes
from sorter.outcome import Reason
from sorter.sidecars.matching import Sidecars
from sorter.sidecars.name_patterns import SidecarNames, renamed

_MOST_FOLDERS = 200  # SQLite nests 1,000 terms at most
_MOST_NAMES = 10_000  # SQLite takes 32,766 values in a query, and each name is compared thrice
_BATCH = 64  # groups that are planned in one go


# an undo also moves new sidecars, which no move of before put where they were
_IN_PLACE = (
    "state = 'done' AND undoes IS NULL AND run NOT IN (SELECT id FROM runs WHERE command = 'undo')"
)


@dataclass(frozen=True, slots=True)
class PutBack:
    """What came of one file."""

    filed: Path  # where catdog put it
    original: Path  # where it came from
    done: bool  # or would be, in a dry run
    reason: str | None = None  # a LeftBecause's value, or an outcome's Reason if it failed
    found_at: Path | None = None  # where the person has put it
    failed: bool = False
    removed: bool = False  # a copy, whose original never left


def newest_run(store: Store, *, before: RunRecord | None = None) -> RunRecord | None:
    """Find the newest run that is not undone, never an undo; of those before one, if it is given.

    It is that run even if nothing of it can be put back: an older one is not what was meant.
    """
    with store.reading() as db:
        runs = read_runs(
            db,
            "command <> ? AND id < ? AND EXISTS"
            " (SELECT 1 FROM moves WHERE run = runs.id AND state = 'done' AND undoes IS NULL)",
            (UNDO, before.id if before is not None else 2**62),
        )
    return runs[-1] if runs else None


def named_run(store: Store, number: int) -> RunRecord:
    """Find a run. Raises UsageRefused if there is none of that number, or it is an undo."""
    with store.reading() as db:
        runs = read_runs(db, "id = ?", (number,))
    if not runs:
        raise UsageRefused(f"There is no run {number}. `catdog history` lists them.")
    if runs[0].command == UNDO:
        raise UsageRefused(f"Run {number} is an undo itself. Sort the folder again instead.")
    return runs[0]


def groups_of(
    store: Store,
    *,
    run: int | None = None,
    since: float | None = None,
    photos: Sequence[Path] = (),
    last: int | None = None,
) -> Iterator[list[PlannedMove]]:
    """Give the groups that something of is in place as far as the journal knows, newest first.

    `photos` name files and folders as they are now or as they were; `since` is in seconds since
    1970. Raises UsageRefused.
    """
    wheres = [_IN_PLACE]
    values: list[Any] = []
    if run is not None:
        wheres.append("run = ?")
        values.append(run)
    if since is not None:
        wheres.append("at >= ?")
        values.append(since)
    if photos:
        where, named = _named(store, photos)
        wheres.append(where)
        values += named
    query = (
        f"SELECT group_id, min(id) AS first FROM moves WHERE {' AND '.join(wheres)}"
        " GROUP BY group_id ORDER BY max(id) DESC"
    )
    if last is not None:
        query += f" LIMIT {last:d}"
    with store.reading() as db:
        groups = [(row["group_id"], row["first"]) for row in db.execute(query, values)]
        for group, first in groups:
            if first == group or photos or last is not None:
                yield list(read_moves(db, f"group_id = ? AND {_IN_PLACE}", (group,)))
            else:  # only sidecars of it are meant, which came after the photo had gone
                where = f"group_id = ? AND {' AND '.join(wheres)}"
                for sidecar in list(read_moves(db, where, (group, *values))):
                    yield [sidecar]


def _named(store: Store, photos: Sequence[Path]) -> tuple[str, list[Any]]:
    """Write what asks for moves by name, of a file or of a folder that it was or is in."""
    folders = [path for path in photos if not os.path.isfile(path)]
    if len(photos) > _MOST_NAMES or len(folders) > _MOST_FOLDERS:
        raise UsageRefused(
            f"{len(photos)} names are too many at once. Name fewer than {_MOST_FOLDERS // 2} "
            f"folders and {_MOST_NAMES // 2} photos, or use --since or --last."
        )
    marks = ", ".join("?" * len(photos))
    terms = [f"{column} IN ({marks})" for column in ("src", "dst", "found_at")]
    values: list[Any] = [to_column(photo) for photo in photos] * 3
    for folder in folders:
        for column in ("src", "dst", "found_at"):
            terms.append(f"({column} >= ? AND {column} < ?)")
            values += columns_below(folder)
        groups = groups_in_renamed(store, folder) if os.path.isdir(folder) else ()
        terms += [f"group_id IN ({', '.join(f'{group:d}' for group in groups)})"] if groups else []
    return f"({' OR '.join(terms)})", values


def put_back(
    store: Store, groups: Iterable[list[PlannedMove]], *, dry_run: bool
) -> Generator[PutBack, None, None]:
    """Put groups back where they came from, or in a dry run only say what would be done.

    It is a run of its own for each run that something is taken back of. Raises StoreUnusable.
    """
    for number, of_run in groupby(groups, key=lambda group: group[0].run):
        with store.reading() as db:
            (record,) = read_runs(db, "id = ?", (number,))
        run = None
        if not dry_run:
            run = Run(
                store,
                UNDO,
                record.folder,
                record.destination,
                options={"of": number},
                still_seconds=0,  # what was filed was complete
            )
        try:
            yield from _Undo(store, record, run).put_back(of_run)
        finally:
            if run is not None:
                run.end()


class _Undo:
    """The taking back of one run."""

    def __init__(self, store: Store, record: RunRecord, run: Run | None) -> None:
        self._store = store
        self._record = record
        self._run = run
        self._promised: set[Path] = set()
        more = record.options.get("sidecars", ())
        self._sidecars = Sidecars(SidecarNames(tuple(more)))
        self._listed: set[Path] = set()
        self._found_again = FoundAgain(store, record.destination)

    def put_back(self, groups: Iterable[list[PlannedMove]]) -> Iterator[PutBack]:
        batch: list[list[PlannedMove]] = []
        for group in groups:
            for way_back in self._choose(group):
                if isinstance(way_back, PutBack):
                    yield way_back
                    continue
                self._promised.update(move.destination for move in way_back)
                batch.append(way_back)
            if len(batch) >= _BATCH:
                yield from self._carry_out(batch)
                batch = []
        yield from self._carry_out(batch)

    def _choose(self, group: list[PlannedMove]) -> Iterator[list[PlannedMove] | PutBack]:
        """Plan the way back of a photo and what belongs to it, or say why it stays."""
        found = self._found_again.group(group)
        if isinstance(found, LeftBecause):
            yield _left(group[0], found)
            return
        first, group = found[0], found
        if first.kind is Kind.COPY:
            for copied in group:
                yield self._removal(copied)
            return
        photo = unchanged(first)
        if isinstance(photo, LeftBecause):
            yield _left(first, photo)
            return
        if not self._has_a_folder(first):
            yield _left(first, LeftBecause.FOLDER_GONE)
            return
        back = [self._back(first, photo)]
        back += self._sidecars_back(group)
        for move in back:
            if os.path.lexists(move.destination) or move.destination in self._promised:
                yield replace(_left(first, LeftBecause.PLACE_TAKEN), found_at=move.destination)
                return
        yield back

    def _is_note(self, name: str) -> bool:
        return self._sidecars.table.is_note(name)

    def _has_a_folder(self, move: PlannedMove) -> bool:
        """Tell whether the folder is there that was sorted, or is to be made on its own disk."""
        folder = self._record.folder
        if os.path.isdir(folder):
            return True
        there = next(one for one in folder.parents if os.path.isdir(one))
        return there.stat().st_dev == move.identity.device

    def _back(self, move: PlannedMove, seen: FileIdentity) -> PlannedMove:
        back = _reverse(move.destination, move.source, seen, move.id)
        if seen.mtime_ns == move.filed_mtime_ns:  # coarser there: its own time comes back, too
            return replace(back, restored_mtime_ns=move.identity.mtime_ns)
        return back

    def _removal(self, copied: PlannedMove) -> list[PlannedMove] | PutBack:
        """Plan to remove a copy whose original still stands."""
        standing = unchanged(copied)
        if isinstance(standing, LeftBecause):
            return _left(copied, standing)
        try:
            if not same_bytes(copied.destination, copied.source):
                tagged = not is_it(copied, copied.destination)
                why = LeftBecause.CHANGED if tagged else LeftBecause.ORIGINAL_GONE
                return _left(copied, why)
        except OSError:
            return _left(copied, LeftBecause.ORIGINAL_GONE)
        move = _reverse(copied.destination, copied.source, standing, copied.id)
        return [replace(move, kind=Kind.REMOVE)]

    def _sidecars_back(self, group: list[PlannedMove]) -> Iterator[PlannedMove]:
        """Plan the way back of what was moved with a photo, and of what has come beside it since.

        Sidecars go back even if they changed: programs write to them, and they are the photo's.
        """
        photo, *sidecars = group
        planned: set[Path] = set()
        for sidecar in sidecars:
            seen = regular(sidecar.destination)
            if seen is not None:
                planned.add(sidecar.destination)
                yield self._back(sidecar, seen)
        if photo.id != photo.group_id:
            return  # itself a sidecar, whose photo is back already
        folder = photo.destination.parent
        if folder not in self._listed:
            self._listed.add(folder)
            with suppress(OSError), os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
                no_suffix = {name for name in names if not os.path.splitext(name)[1]}
                self._sidecars.list_folder(folder, names, no_suffix)
        stem, new_stem = (
            os.path.splitext(path.name)[0] for path in (photo.destination, photo.source)
        )
        for beside in self._sidecars.take(photo.destination):
            seen = regular(beside)
            if beside in planned or seen is None or not self._is_note(beside.name):
                continue
            # what was there before the photo came, or is no mere notes, is the person's own
            if beside.lstat().st_ctime >= photo.at:
                original = photo.source.with_name(renamed(beside.name, stem, new_stem))
                yield _reverse(beside, original, seen, None)

    def _carry_out(self, batch: list[list[PlannedMove]]) -> Iterator[PutBack]:
        if self._run is None:
            yield from (_told(move) for way_back in batch for move in way_back)
            return
        planned = deque(self._run.plan(batch))
        try:
            while planned:
                yield from self._carry(self._run, planned.popleft())
        finally:
            for way_back in planned:  # whoever asked has stopped asking
                for move in way_back:
                    self._run.failed(move, Reason.INTERRUPTED)
            self._run.flush()
        self._remove_made_folders({move.source.parent for way_back in batch for move in way_back})

    def _carry(self, run: Run, way_back: list[PlannedMove]) -> Iterator[PutBack]:
        try:
            carry_out(run, way_back)
        except TornApart as error:
            yield _failed(way_back[0], error)
        except (OSError, ChangedMeanwhile) as error:
            for move in way_back:
                run.failed(move, "not-undone")
            yield _failed(way_back[0], error)
        else:
            for move in way_back:
                if move.restored_mtime_ns is not None:
                    os.utime(move.destination, ns=(move.restored_mtime_ns, move.restored_mtime_ns))
                yield _told(move)

    def _remove_made_folders(self, folders: set[Path]) -> None:
        """Take away the folders that catdog made and that are empty again."""
        for folder in folders:
            while self._is_made(folder):
                try:
                    folder.rmdir()
                except OSError:
                    break
                with self._store.writing() as db:
                    db.execute("DELETE FROM made_folders WHERE path = ?", (to_column(folder),))
                folder = folder.parent

    def _is_made(self, folder: Path) -> bool:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT 1 FROM made_folders WHERE path = ?", (to_column(folder),)
            ).fetchone()
        return row is not None


def _reverse(filed: Path, original: Path, seen: FileIdentity, undoes: int | None) -> PlannedMove:
    return PlannedMove(Kind.MOVE, filed, original, seen, undoes=undoes)


def _left(move: PlannedMove, why: LeftBecause) -> PutBack:
    return PutBack(move.destination, move.source, False, why, found_at=move.found_at)


def _told(back: PlannedMove) -> PutBack:
    return PutBack(back.source, back.destination, True, removed=back.kind is Kind.REMOVE)


def _failed(back: PlannedMove, error: OSError | ChangedMeanwhile) -> PutBack:
    if isinstance(error, ChangedMeanwhile):
        there = os.path.lexists(back.source)
        why = LeftBecause.CHANGED if there else LeftBecause.MOVED
        return PutBack(back.source, back.destination, False, why)
    if isinstance(error, FileExistsError):
        return PutBack(back.source, back.destination, False, LeftBecause.PLACE_TAKEN)
    if not os.path.lexists(back.source):
        return PutBack(back.source, back.destination, False, LeftBecause.MOVED)
    return PutBack(back.source, back.destination, False, failure_of(error)[0], failed=True)
