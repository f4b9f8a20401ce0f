"""Recovery: finishes or takes back what a killed run left half done, by the files themselves."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from core.paths import display
from core.store.database import Store, to_column
from sorter.identity import FileIdentity
from sorter.journal.locks import run_lock
from sorter.journal.moves import Group, Kind, PlannedMove, State, has_move, read_moves
from sorter.journal.run import (
    Result,
    RunRecord,
    end_run,
    read_runs,
    temporary_name,
    write_results,
)
from sorter.moving import transfer
from sorter.moving.failures import logged_bugs
from sorter.moving.rename import are_two_names, bring_back
from sorter.outcome import Reason

_FAT_TIMES_NS = 2 * 10**9  # FAT keeps no finer times
_LONGEST_WAIT_SECONDS = 30 * 86400.0  # for files on a disk that is not there


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a run that was killed."""

    run: RunRecord
    finished: int  # files whose move was or is carried out
    taken_back: int  # files that are where they were
    waiting: int  # files in folders that are not there now: on a disk that is unplugged, say

    def line(self) -> str:
        run, waits = self.run, ""
        if self.waiting:
            waits = f", {self.waiting} wait for their disk to be back"
        return (
            f"Run {run.id} ({run.command} {display(run.folder)}) was broken off: {self.finished} "
            f"files of its last moves are in place, {self.taken_back} stayed{waits}."
        )


def recover(store: Store, folders: Sequence[Path] | None = None) -> list[Recovered]:
    """Bring every run to its end whose process is gone; those that are alive are not touched.

    With `folders`, only runs that sorted one of them or filed into one. Raises StoreUnusable.
    """
    recovered = []
    with store.reading() as db:
        open_runs = read_runs(db, "ended IS NULL")
    for run in open_runs:
        if folders is not None and not {run.folder, run.destination} & set(folders):
            continue
        lock = run_lock(store.state_dir, run.token)
        if not lock.acquire():
            continue
        try:
            with store.reading() as db:
                still_open = read_runs(db, "id = ? AND ended IS NULL", (run.id,))
            outcome = _recover_run(store, run) if still_open else None
        except BaseException:
            lock.release()
            raise
        if outcome is None or not outcome.waiting:
            lock.retire()
        else:
            lock.release()
        if outcome is not None and outcome.finished + outcome.taken_back + outcome.waiting:
            recovered.append(outcome)
    return recovered


def _recover_run(store: Store, run: RunRecord) -> Recovered:
    with store.reading() as db:
        planned = list(read_moves(db, "run = ? AND state = 'planned'", (run.id,)))
    is_done: dict[int, bool] = {}  # by move; of others it is not known yet
    for _, moves in groupby(planned, key=lambda move: move.group_id):
        group = list(moves)
        # a disk that is gone or read-only just now: another time
        with logged_bugs(group[0].source), suppress(OSError):
            for move in group:
                bring_back(_aside(run, move), move.destination)
            if not _is_in_doubt(run, group):
                is_done.update(_resolve(store, run, group))
    results = [
        Result.done(move, FileIdentity.of(move.destination))
        if is_done[move.id]
        else Result(move, State.FAILED, _why_not(move))
        for move in planned
        if move.id in is_done
    ]
    with store.writing() as db:
        write_results(db, results)
        end_run(db, run.id)
    finished = sum(is_done.values())
    return Recovered(run, finished, len(is_done) - finished, waiting=len(planned) - len(is_done))


def _why_not(move: PlannedMove) -> str:
    both = os.path.lexists(move.source) and os.path.lexists(move.destination)
    return Reason.PLACE_TAKEN if both and move.kind is not Kind.REMOVE else Reason.INTERRUPTED


def _is_in_doubt(run: RunRecord, group: Group) -> bool:
    """Return whether files cannot be found because the disk that they are on is not there."""
    if not os.path.isdir(run.folder):
        return True
    if time.time() - run.started > _LONGEST_WAIT_SECONDS:
        return False
    for move in group:
        if _identify(move.source) is None and _identify(move.destination) is None:
            on_its_disk = run.folder.stat().st_dev == move.identity.device
            if not on_its_disk or not os.path.isdir(move.destination.parent):
                return True
    return False


_identify = FileIdentity.strictly_of  # an error of the disk's does not mean that a file is gone


def _resolve(store: Store, run: RunRecord, group: Group) -> dict[int, bool]:
    """Bring all files of a group to their places, or back; return by move whether it is done."""
    first, *others = group
    is_done = {first.id: _finish(store, run, first, forward=False)}
    for move in others:
        if first.id != first.group_id:
            is_done[move.id] = _finish(store, run, move, forward=False)  # sidecars that came late
        elif is_done[first.id]:
            is_done[move.id] = _finish(store, run, move, forward=True)
        else:
            is_done[move.id] = not _is_anothers(store, move) and not _back(run, move)
    return is_done


def _finish(store: Store, run: RunRecord, move: PlannedMove, *, forward: bool) -> bool:
    """Complete one file's move if it was begun, or in any case if `forward`; True if it is done."""
    temporary = _without_temporaries(run, move)
    source, filed = _identify(move.source), _identify(move.destination)
    if move.kind is Kind.REMOVE:
        return source is None
    if source is None:
        return filed is not None and _may_be_still(filed, move) and not _is_anothers(store, move)
    if filed is not None and _was_only_claimed(move, source, filed):
        move.destination.unlink()
        filed = None
    if filed is not None:
        return _both_stand(store, run, move, source, filed)
    if not forward or not _may_be_still(source, move):
        return False
    transferred = transfer.move if move.kind is Kind.MOVE else transfer.copy
    try:
        transferred(move.source, move.destination, source, temporary)
    except (OSError, transfer.ChangedMeanwhile):
        return False
    return True


def _without_temporaries(run: RunRecord, move: PlannedMove) -> Path:
    """Remove what a copy left behind at either end; return the name for a new one."""
    for end in (move.source, move.destination):
        temporary_name(end, run.token, move.id).unlink(missing_ok=True)
    return temporary_name(move.destination, run.token, move.id)


def _both_stand(
    store: Store, run: RunRecord, move: PlannedMove, source: FileIdentity, filed: FileIdentity
) -> bool:
    """Decide for a file that stands at both ends: between two steps, or another's."""
    if not _may_be_still(filed, move):
        return False
    if not _is_still(source, move) and not (run.copies and _may_be_still(source, move)):
        return True  # it was moved, and another came to where it was
    if move.kind is Kind.COPY:
        return transfer.same_bytes(move.source, move.destination)
    is_linked = (source.device, source.inode) == (filed.device, filed.inode)
    if not is_linked and not run.copies:
        return False  # a rename never leaves two files: it is the person's own copy
    if _is_anothers(store, move) or not transfer.same_bytes(move.source, move.destination):
        return False
    transfer.sync_folder(move.destination.parent)
    if not are_two_names(move.source, move.destination, _aside(run, move)):
        return False
    move.source.unlink()  # linked or copied in full, and not yet removed
    return True


def _aside(run: RunRecord, move: PlannedMove) -> Path:
    return move.destination.with_name(f".catdog-{run.token[:12]}-{move.id}.aside")


def _is_still(source: FileIdentity, move: PlannedMove) -> bool:
    """Return whether a file is the one that was planned; devices get new numbers at a restart."""
    planned = move.identity
    return replace(source, device=planned.device) == planned


def _may_be_still(source: FileIdentity, move: PlannedMove) -> bool:
    """Return whether a file may be the one that was planned, by size and times within 2 seconds.

    For file systems that number inodes anew at each mount, or keep coarse times, as FAT does.
    """
    planned = move.identity
    is_as_old = abs(source.mtime_ns - planned.mtime_ns) <= _FAT_TIMES_NS
    return source.size == planned.size and is_as_old


def _back(run: RunRecord, move: PlannedMove) -> bool:
    """Bring a sidecar back whose photo did not leave; True if it is where it was."""
    _without_temporaries(run, move)
    filed = FileIdentity.of(move.destination)
    if filed is None or not _may_be_still(filed, move):
        return True
    try:
        if FileIdentity.of(move.source) is not None:
            if not transfer.same_bytes(move.source, move.destination):
                return True
            if are_two_names(move.source, move.destination, _aside(run, move)):
                move.destination.unlink()  # between two steps, or a copy: the original stands
        elif move.kind is Kind.MOVE:
            temporary = temporary_name(move.source, run.token, move.id)
            transfer.move(move.destination, move.source, filed, temporary)
    except (OSError, transfer.ChangedMeanwhile):
        return False
    return True


def _was_only_claimed(move: PlannedMove, source: FileIdentity, filed: FileIdentity) -> bool:
    """Return whether an empty file is the claim that a rename without links begins with."""
    is_empty = filed.size == 0 and source.size > 0
    return is_empty and filed.mtime_ns >= (move.at - 2) * 1e9  # two seconds: as FAT keeps times


def _is_anothers(store: Store, move: PlannedMove) -> bool:
    """Return whether another run has moved the file there, that planned the very same."""
    where = "dst = ? AND src = ? AND id <> ? AND undoes IS ? AND state IN ('planned', 'done')"
    ends = map(to_column, (move.destination, move.source))
    return has_move(store, f"{where} AND at >= ?", (*ends, move.id, move.undoes, move.at - 5))
