"""Carries out planned moves, a photo together with its sidecars: all of them or none."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

from core.paths import display
from sorter.identity import FileIdentity
from sorter.journal.moves import Group, Kind, PlannedMove
from sorter.journal.run import Run, temporary_name
from sorter.moving import transfer

log = logging.getLogger(__name__)

_TRIES = 5  # at making a folder that something else takes away again


class PartlyMoved(OSError):
    """A group got through in part and could not be taken back: a disk that fails twice, say."""


def move_group(run: Run, group: Group, still_seconds: float) -> None:
    """Carry out the moves of one group that `run` has planned, in their order.

    What may have writers is copied once it has not changed for `still_seconds`. If one fails,
    those before it are taken back, and the error is raised: FileExistsError if a name is taken,
    ChangedMeanwhile, OSError. What became of the moves is noted here, except if all are back
    where they were: then they are still planned, and the caller decides.
    """
    carried: list[PlannedMove] = []
    try:
        for move in group:
            _transfer(run, move, still_seconds)
            carried.append(move)
    except (OSError, transfer.ChangedMeanwhile) as error:
        stuck = [move for move in reversed(carried) if not _taken_back(run, move)]
        if not stuck:
            raise
        for move in group:
            if move in stuck:
                run.done(move, FileIdentity.of(move.destination))
            else:
                run.failed(move, "io-error")
        raise PartlyMoved(errno.EIO, str(error)) from error
    for move in group:
        filed = None if move.kind is Kind.REMOVE else FileIdentity.of(move.destination)
        run.done(move, filed)


def _transfer(run: Run, move: PlannedMove, still_seconds: float) -> None:
    if move.kind is Kind.REMOVE:
        transfer.remove_copy(move.source, move.destination, move.identity)
        return
    temporary = temporary_name(move.destination, run.token, move.id)
    for last_try in [False] * _TRIES + [True]:
        try:
            _make(move.destination.parent)
            ends = (move.source, move.destination, move.identity, temporary)
            if move.kind is Kind.COPY:
                transfer.copy(*ends, still_seconds=still_seconds)
            else:
                transfer.move(*ends, will_copy=run.will_copy, still_seconds=still_seconds)
            break
        except FileNotFoundError:
            # an undo may have taken the empty folder away again just now
            if last_try or not os.path.lexists(move.source):
                raise


def _make(folder: Path) -> None:
    if os.path.isdir(folder):
        return
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for made in missing:
            transfer.sync_folder(made.parent)
    except FileExistsError as error:  # by a file: not the same as a photo's name that is taken
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def _taken_back(run: Run, move: PlannedMove) -> bool:
    """Reverse a move whose group did not get through; False if that failed."""
    if move.kind is Kind.REMOVE:
        return False  # a removed copy is gone; undo plans removals alone, so this has no group
    filed = FileIdentity.of(move.destination)
    if filed is None:
        return False
    try:
        if move.kind is Kind.COPY:
            transfer.remove_copy(move.destination, move.source, filed)
        else:
            temporary = temporary_name(move.source, run.token, move.id)
            transfer.move(move.destination, move.source, filed, temporary, still_seconds=0)
    except (OSError, transfer.ChangedMeanwhile) as error:
        log.error(
            "%s could not be taken back to %s: %s",
            display(move.destination), display(move.source), error,
        )  # fmt: skip
        return False
    return True
