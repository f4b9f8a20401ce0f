"""Undo: puts back what still stands where catdog put it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from core.store.database import Store, to_column
from sorter.filing.move_group import PartlyMoved, move_group
from sorter.identity import FileIdentity, regular
from sorter.journal.found_again import FoundAgain, LeftBecause, is_it, unchanged
from sorter.journal.moves import IN_PLACE, Group, Kind, PlannedMove, has_move
from sorter.journal.run import UNDO, Run, RunRecord, read_runs
from sorter.moving.failures import failure_of
from sorter.moving.filesystem import nearest_folder
from sorter.moving.mounts import IsMounted
from sorter.moving.transfer import ChangedMeanwhile, same_bytes
from sorter.outcome import Reason
from sorter.sidecars.matching import FolderSidecars, sidecars_in
from sorter.sidecars.name_patterns import SidecarNames, renamed

_BATCH = 64  # groups that are planned in one go


@dataclass(frozen=True, slots=True)
class PutBack:
    filed: Path  # where catdog put it
    original: Path  # where it came from
    done: bool = False  # or would be, in a dry run
    reason: str | None = None  # a LeftBecause's value, or an outcome's Reason if it failed
    found_at: Path | None = None  # where the person has put it
    failed: bool = False
    removed: bool = False  # a copy, whose original never left


def put_back(
    store: Store, groups: Iterable[Group], *, dry_run: bool
) -> Generator[PutBack, None, None]:
    """Put groups back where they came from; in a dry run only yield what would come of each file.

    It is a run of its own for each run that something is taken back of. Raises StoreUnusable.
    """
    for number, of_run in groupby(groups, key=lambda group: group[0].run):
        with store.reading() as db:
            (record,) = read_runs(db, "id = ?", (number,))
        folders, options = (record.folder, record.destination), {"of": number}
        with nullcontext() if dry_run else Run(store, UNDO, *folders, options=options) as run:
            yield from _Undo(store, record, run).put_back(of_run)


class _Undo:
    def __init__(self, store: Store, record: RunRecord, run: Run | None) -> None:
        self._store = store
        self._record = record
        self._run = run
        self._promised: set[Path] = set()
        self._is_mounted = IsMounted(record.options.get("mounts", ()))
        self._table = SidecarNames(tuple(record.options.get("sidecars", ())))
        self._sidecars: dict[Path, FolderSidecars] = {}  # by folder
        self._found_again = FoundAgain(store, record.destination)

    def put_back(self, groups: Iterable[Group]) -> Iterator[PutBack]:
        batch: list[Group] = []
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

    def _choose(self, group: Group) -> list[Group | PutBack]:
        """Return the way back of a photo and its sidecars, or why it is left."""
        found = self._found_again.group(group)
        if isinstance(found, LeftBecause):
            return [_left(group[0], found)]
        if found[0].kind is Kind.COPY:
            return [_removal(copied) for copied in found]
        return [self._way_back(found)]

    def _way_back(self, group: Group) -> Group | PutBack:
        first = group[0]
        photo = unchanged(first)
        if isinstance(photo, LeftBecause):
            return _left(first, photo)
        if not self._has_a_folder(first):
            return _left(first, LeftBecause.FOLDER_GONE)
        way_back = [_back(first, photo), *self._sidecars_back(group)]
        for place in (move.destination for move in way_back):
            if os.path.lexists(place) or place in self._promised:
                return replace(_left(first, LeftBecause.PLACE_TAKEN), found_at=place)
        return way_back

    def _has_a_folder(self, move: PlannedMove) -> bool:
        """Return whether the folder is there that was sorted, or can be made on its own disk."""
        if not self._is_mounted.for_folder(move.source.parent):
            return False
        folder = self._record.folder
        if os.path.isdir(folder):
            return True
        return nearest_folder(folder).stat().st_dev == move.identity.device

    def _sidecars_back(self, group: Group) -> Iterator[PlannedMove]:
        """Yield the way back of what was moved with a photo, and of what has come beside it since.

        Sidecars go back even if they changed: programs write to them, and they are the photo's.
        """
        photo, *sidecars = group
        planned: set[Path] = set()
        for sidecar in sidecars:
            standing = regular(sidecar.destination)
            if standing is not None:
                planned.add(sidecar.destination)
                yield _back(sidecar, standing)
        if photo.id != photo.group_id:
            return  # itself a sidecar, whose photo is back already
        folder = photo.destination.parent
        if folder not in self._sidecars:
            names: list[str] = []
            with suppress(OSError), os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
            no_suffix = {name for name in names if not os.path.splitext(name)[1]}
            self._sidecars[folder] = sidecars_in(folder, names, no_suffix, self._table)
        stem, new_stem = (
            os.path.splitext(path.name)[0] for path in (photo.destination, photo.source)
        )
        for name in self._sidecars[folder].take(photo.destination.name):
            beside = folder / name
            standing = regular(beside)
            if standing is None or not self._table.is_note(name):
                continue
            if beside in planned or self._was_filed(beside):
                continue
            # what was there before the photo came, or is no mere notes, is the person's own
            if beside.lstat().st_ctime >= photo.at:
                original = photo.source.with_name(renamed(name, stem, new_stem))
                if original not in self._promised:
                    yield PlannedMove(Kind.MOVE, beside, original, standing)

    def _was_filed(self, sidecar: Path) -> bool:
        """Return whether a sidecar was filed with another photo: it goes back with that one."""
        return has_move(self._store, f"{IN_PLACE} AND dst = ?", (to_column(sidecar),))

    def _carry_out(self, batch: list[Group]) -> Iterator[PutBack]:
        if self._run is None:
            yield from (_done(move) for way_back in batch for move in way_back)
            return
        planned = deque(self._run.plan(batch))
        try:
            while planned:
                yield from self._carry(self._run, planned.popleft())
        finally:
            for way_back in planned:  # the caller has stopped asking
                for move in way_back:
                    self._run.failed(move, Reason.INTERRUPTED)
            self._run.flush()
        self._remove_made_folders({move.source.parent for way_back in batch for move in way_back})

    def _carry(self, run: Run, way_back: Group) -> Iterator[PutBack]:
        try:
            move_group(run, way_back, still_seconds=0)  # what was filed was complete
        except (OSError, ChangedMeanwhile) as error:
            if not isinstance(error, PartlyMoved):
                for move in way_back:
                    run.failed(move, "not-undone")
            yield _failed(way_back[0], error)
        else:
            for move in way_back:
                if move.restored_mtime_ns is not None:
                    os.utime(move.destination, ns=(move.restored_mtime_ns, move.restored_mtime_ns))
                yield _done(move)

    def _remove_made_folders(self, folders: set[Path]) -> None:
        """Take away the folders that catdog made and that are empty again."""
        for folder in folders:
            with suppress(OSError):  # it is not empty
                while self._is_made(folder):
                    folder.rmdir()
                    with self._store.writing() as db:
                        db.execute("DELETE FROM made_folders WHERE path = ?", (to_column(folder),))
                    folder = folder.parent

    def _is_made(self, folder: Path) -> bool:
        with self._store.reading() as db:
            row = db.execute(
                "SELECT 1 FROM made_folders WHERE path = ?", (to_column(folder),)
            ).fetchone()
        return row is not None


def _back(move: PlannedMove, filed: FileIdentity) -> PlannedMove:
    """Return the move that takes another back; `filed` is what stands where that put it."""
    own_time = None
    if filed.mtime_ns == move.filed_mtime_ns:  # coarser there: its own time comes back, too
        own_time = move.identity.mtime_ns
    return PlannedMove(
        Kind.MOVE,
        move.destination,
        move.source,
        filed,
        undoes=move.id,
        restored_mtime_ns=own_time,
    )


def _removal(copied: PlannedMove) -> Group | PutBack:
    """Return the removal of a copy whose original still stands, or why it is left."""
    standing = unchanged(copied)
    if isinstance(standing, LeftBecause):
        return _left(copied, standing)
    try:
        if not same_bytes(copied.destination, copied.source):
            tagged = not is_it(copied, copied.destination)
            return _left(copied, LeftBecause.CHANGED if tagged else LeftBecause.ORIGINAL_GONE)
    except OSError:
        return _left(copied, LeftBecause.ORIGINAL_GONE)
    return [replace(_back(copied, standing), kind=Kind.REMOVE, restored_mtime_ns=None)]


def _left(move: PlannedMove, why: LeftBecause) -> PutBack:
    return PutBack(move.destination, move.source, reason=why, found_at=move.found_at)


def _done(back: PlannedMove) -> PutBack:
    return PutBack(back.source, back.destination, done=True, removed=back.kind is Kind.REMOVE)


def _failed(back: PlannedMove, error: OSError | ChangedMeanwhile) -> PutBack:
    outcome = PutBack(back.source, back.destination)
    if isinstance(error, FileExistsError):
        return replace(outcome, reason=LeftBecause.PLACE_TAKEN)
    if not os.path.lexists(back.source):
        return replace(outcome, reason=LeftBecause.MOVED)
    if isinstance(error, ChangedMeanwhile):
        return replace(outcome, reason=LeftBecause.CHANGED)
    return replace(outcome, reason=failure_of(error)[0], failed=True)
