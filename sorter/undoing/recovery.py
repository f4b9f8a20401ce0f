"""Finishes or takes back what a killed run left half done, told by the files themselves."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from core.errors import CatdogError
from core.paths import display
from core.store.database import Store, to_column
from sorter.identity import FileIdentity
from sorter.journal.journal import (
    Kind,
    PlannedMove,
    RunRecord,
    State,
    end_run,
    read_moves,
    read_runs,
    temporary_name,
    write_results,
)
from sorter.journal.locks import run_lock
from sorter.moving import transfer
from sorter.moving.two_names import are_two_names, bring_back
from sorter.outcome import Reason

log = logging.getLogger(__name__)

_FAT_TIMES_NS = 2 * 10**9  # FAT keeps no finer times
_LONGEST_WAIT = 30 * 86400.0  # seconds that files on a disk that is not there are waited for


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a run that was killed."""

    run: RunRecord
    finished: int  # files whose move was or is carried out
    taken_back: int  # files that are where they were
    waiting: int  # files in folders that are not there now: on a disk that is unplugged, say

    def line(self) -> str:
        """Say it to a person."""
        what = f"Run {self.run.id} ({self.run.command} {display(self.run.folder)}) was broken off: "
        told = f"{self.finished} files of its last moves are in place, {self.taken_back} stayed"
        waits = f", {self.waiting} wait for their disk to be back" if self.waiting else ""
        return what + told + waits + "."


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
    states: dict[int, State] = {}
    for _, moves in groupby(planned, key=lambda move: move.group_id):
        group = list(moves)
        try:
            for move in group:
                bring_back(_aside(run, move), move.destination)
            if not _is_in_doubt(run, group):
                states.update(_resolve(store, run, group))
        except OSError as error:  # a disk that is gone or read-only just now: another time
            log.debug("%s waits: %s", display(group[0].source), error)
        except CatdogError:
            raise
        except Exception:  # a bug that one photo shows must not keep the others from being sorted
            log.exception("%s", display(group[0].source))
    now = time.time()
    by_id = {move.id: move for move in planned}
    results = []
    undone = []
    for id, state in states.items():
        move = by_id[id]
        filed = FileIdentity.of(move.destination) if state is State.DONE else None
        mtime = filed.mtime_ns if filed and filed.mtime_ns != move.identity.mtime_ns else None
        reason = move.reason if state is State.DONE else _why_not(move)
        results.append((state.value, reason, mtime, now, id))
        if state is State.DONE and move.undoes is not None:
            undone.append(move.undoes)
    with store.writing() as db:
        write_results(db, results, undone)
        end_run(db, run.id, now)
    finished = sum(state is State.DONE for state in states.values())
    return Recovered(run, finished, len(states) - finished, waiting=len(planned) - len(states))


def _why_not(move: PlannedMove) -> str:
    both = os.path.lexists(move.source) and os.path.lexists(move.destination)
    return Reason.PLACE_TAKEN if both and move.kind is not Kind.REMOVE else Reason.INTERRUPTED


def _is_in_doubt(run: RunRecord, group: Sequence[PlannedMove]) -> bool:
    """Tell whether files cannot be found because the disk that they are on is not there."""
    if not os.path.isdir(run.folder):
        return True
    if time.time() - run.started > _LONGEST_WAIT:
        return False
    for move in group:
        if _look(move.source) is None and _look(move.destination) is None:
            on_its_disk = run.folder.stat().st_dev == move.identity.device
            if not on_its_disk or not os.path.isdir(move.destination.parent):
                return True
    return False


_look = FileIdentity.strictly_of  # an error of the disk's must not look like a file that is gone


def _resolve(store: Store, run: RunRecord, group: Sequence[PlannedMove]) -> dict[int, State]:
    """Bring one group to where all its files are in place, or none."""
    first, *others = group
    done = _finish(store, run, first, forward=False)
    states = {first.id: State.DONE if done else State.FAILED}
    for move in others:
        if first.id != first.group_id:
            followed = _finish(store, run, move, forward=False)  # sidecars that came late
        elif done:
            followed = _finish(store, run, move, forward=True)
        else:
            followed = not _is_anothers(store, move) and not _back(run, move)
        states[move.id] = State.DONE if followed else State.FAILED
    return states


def _finish(store: Store, run: RunRecord, move: PlannedMove, *, forward: bool) -> bool:
    """Complete one file's move if it was begun, or in any case if `forward`; True if it is done."""
    temporary = _without_temporaries(run, move)
    source, filed = _look(move.source), _look(move.destination)
    if move.kind is Kind.REMOVE:
        return source is None
    if source is None:
        return filed is not None and _is_it(filed, move) and not _is_anothers(store, move)
    if filed is not None and _was_only_claimed(move, source, filed):
        move.destination.unlink()
        filed = None
    if filed is not None:
        return _both_stand(store, run, move, source, filed)
    if not forward or not _may_be_still(source, move):
        return False
    carry = transfer.move if move.kind is Kind.MOVE else transfer.copy
    try:
        carry(move.source, move.destination, source, temporary)
    except (OSError, transfer.ChangedMeanwhile):
        return False
    return True


def _without_temporaries(run: RunRecord, move: PlannedMove) -> Path:
    """Remove what a copy left behind at either end; give the name for a new one."""
    for end in (move.source, move.destination):
        temporary_name(end, run.token, move.id).unlink(missing_ok=True)
    return temporary_name(move.destination, run.token, move.id)


def _both_stand(
    store: Store, run: RunRecord, move: PlannedMove, source: FileIdentity, filed: FileIdentity
) -> bool:
    """Decide for a file that stands at both ends: between two steps, or another's."""
    if not _is_it(filed, move):
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
    """Tell whether a file is the one that was planned; devices get new numbers at a restart."""
    planned = move.identity
    return (source.inode, source.size, source.mtime_ns) == (
        planned.inode,
        planned.size,
        planned.mtime_ns,
    )


def _may_be_still(source: FileIdentity, move: PlannedMove) -> bool:
    """Tell the same where inodes get new numbers at each mount, and times are cut to FAT's."""
    planned = move.identity
    is_as_old = abs(source.mtime_ns - planned.mtime_ns) <= _FAT_TIMES_NS
    return source.size == planned.size and is_as_old


def _back(run: RunRecord, move: PlannedMove) -> bool:
    """Bring a sidecar back whose photo did not leave; True if it is where it was."""
    _without_temporaries(run, move)
    filed = FileIdentity.of(move.destination)
    if filed is None or not _is_it(filed, move):
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


def _is_it(filed: FileIdentity, move: PlannedMove) -> bool:
    """Tell whether the file at the destination may be the one that was moved."""
    return _may_be_still(filed, move)


def _was_only_claimed(move: PlannedMove, source: FileIdentity, filed: FileIdentity) -> bool:
    """Tell whether an empty file is the claim that a rename without links begins with."""
    is_empty = filed.size == 0 and source.size > 0
    return is_empty and filed.mtime_ns >= (move.at - 2) * 1e9  # two seconds: as FAT keeps times


def _is_anothers(store: Store, move: PlannedMove) -> bool:
    """Tell whether another run has moved the file there, that planned the very same."""
    with store.reading() as db:
        row = db.execute(
            "SELECT 1 FROM moves WHERE dst = ? AND src = ? AND id <> ? AND undoes IS ?"
            " AND state IN ('planned', 'done') AND at >= ?",
            (
                to_column(move.destination),
                to_column(move.source),
                move.id,
                move.undoes,
                move.at - 5,
            ),
        ).fetchone()
    return row is not None
