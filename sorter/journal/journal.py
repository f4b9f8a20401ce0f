"""The journal of moves: each is planned in it before it happens, and marked done after."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.store.database import (
    Store,
    columns_below,
    from_column,
    number_from_column,
    number_to_column,
    to_column,
)
from sorter.identity import FileIdentity
from sorter.journal.locks import run_lock
from sorter.moving.completeness import STILL_SECONDS
from sorter.names import fold


class Kind(StrEnum):
    """What is done with one file."""

    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"  # of a copy that catdog made, by undo


class State(StrEnum):
    """How far it got."""

    PLANNED = "planned"
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """One file's move, as it is planned or as the journal has it. Paths are absolute."""

    kind: Kind
    source: Path
    destination: Path  # of a removal: the original, which stays
    identity: FileIdentity  # of the source before the move
    label: str | None = None
    confidence: float | None = None
    model_version: str | None = None
    reason: str | None = None
    is_photo: bool = False
    undoes: int | None = None  # the move that this one takes back
    restored_mtime_ns: int | None = None  # by undo, if its file system keeps finer times
    id: int = 0  # the journal's; 0 before it is planned
    group_id: int = 0  # the id of the photo's move, for the photo and its sidecars
    run: int = 0
    state: State = State.PLANNED
    filed_mtime_ns: int | None = None
    found_at: Path | None = None  # where the person moved it to by hand
    sha256: str | None = None
    pixels: str | None = None  # see digests.py
    at: float = 0.0

    def is_as_filed(self, seen: FileIdentity) -> bool:
        """Tell whether a file has the size and the time of change that this one was filed with."""
        filed_mtime_ns = self.filed_mtime_ns
        if filed_mtime_ns is None:
            filed_mtime_ns = self.identity.mtime_ns
        return (seen.size, seen.mtime_ns) == (self.identity.size, filed_mtime_ns)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a command, as the journal has it."""

    id: int
    token: str
    command: str
    folder: Path
    destination: Path
    options: Mapping[str, Any]
    model_version: str | None
    started: float
    copies: bool  # some of its moves go across file systems
    ended: float | None


UNDO = "undo"


class Run:
    """A run that is alive: it holds its lock, plans moves and marks them.

    What came of moves is kept until the next plan or `flush` and written in one go: a crash in
    between leaves moves that are planned and carried out, which recovery tells from the files.
    """

    def __init__(
        self,
        store: Store,
        command: str,
        folder: Path,
        destination: Path,
        *,
        options: Mapping[str, Any] | None = None,
        model_version: str | None = None,
        still_seconds: float = STILL_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin a run; `still_seconds` is for its copies. Raises StoreUnusable."""
        self.still_seconds = still_seconds
        self._store = store
        self._clock = clock
        self.token = uuid.uuid4().hex
        self._lock = run_lock(store.state_dir, self.token)
        if not self._lock.acquire():  # before the row: what recovery sees without a lock is dead
            raise AssertionError("a new lock is free")
        self._results: list[tuple[str, str | None, int | None, float, int]] = []
        self._undone: list[int] = []
        self._copies = False
        with self._or_retire(), store.writing() as db:
            row = db.execute(
                "INSERT INTO runs (token, command, folder, destination, options, model_version,"
                " started) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self.token,
                    command,
                    to_column(folder),
                    to_column(destination),
                    json.dumps(dict(options or {})),
                    model_version,
                    clock(),
                ),
            )
        assert row.lastrowid is not None
        self.id = row.lastrowid

    @contextmanager
    def _or_retire(self) -> Iterator[None]:
        """Leave no lock behind for a run that could not begin."""
        try:
            yield
        except BaseException:
            self._lock.retire()
            raise

    def plan(self, groups: Sequence[Sequence[PlannedMove]]) -> list[list[PlannedMove]]:
        """Write down what is about to be done with groups of files, the photo first in each.

        A group whose moves have a `group_id` already joins that group. Returns the moves with
        their ids, in the same order. Raises StoreUnusable; then nothing may be moved.
        """
        now = self._clock()
        planned: list[list[PlannedMove]] = []
        with self._store.writing() as db:
            self._write_results(db)
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'moves'").fetchone()
            next_id = (row["seq"] if row else 0) + 1
            for group in groups:
                first = next_id
                planned.append([])
                for move in group:
                    group_id = move.group_id or first
                    planned[-1].append(
                        replace(move, id=next_id, group_id=group_id, run=self.id, at=now)
                    )
                    next_id += 1
            moves = [move for group in planned for move in group]
            db.executemany(_INSERT, map(_row_of, moves))
            db.executemany(
                "INSERT OR IGNORE INTO made_folders VALUES (?)",
                [(to_column(folder),) for folder in _missing_folders(moves)],
            )
            sources = [(to_column(move.source),) for move in moves]
            db.executemany("DELETE FROM stayed WHERE path = ?", sources)
            db.executemany(
                "INSERT OR REPLACE INTO stayed VALUES (?, ?, ?, NULL, 'undone')",
                [
                    (
                        to_column(move.destination),
                        number_to_column(move.identity.size),
                        number_to_column(
                            move.identity.mtime_ns
                            if move.restored_mtime_ns is None
                            else move.restored_mtime_ns
                        ),
                    )
                    for move in moves
                    if move.undoes is not None and move.kind is Kind.MOVE
                ],
            )
        self._forget_results()
        return planned

    def plan_again(self, moves: Sequence[PlannedMove]) -> None:
        """Write down new destinations of moves that are planned. Raises StoreUnusable."""
        with self._store.writing() as db:
            db.executemany(
                "UPDATE moves SET dst = ? WHERE id = ?",
                [(to_column(move.destination), move.id) for move in moves],
            )

    def will_copy(self) -> None:
        """Note that a move goes to another file system. Raises StoreUnusable.

        Only then can recovery tell a copy of catdog's from one that the person has made.
        """
        if not self._copies:
            with self._store.writing() as db:
                db.execute("UPDATE runs SET copies = 1 WHERE id = ?", (self.id,))
            self._copies = True

    def done(self, move: PlannedMove, filed: FileIdentity | None = None) -> None:
        """Note that a move was carried out; `filed` is the file in its new place."""
        filed_mtime = filed.mtime_ns if filed else None
        if filed_mtime == move.identity.mtime_ns:
            filed_mtime = None
        self._results.append((State.DONE, move.reason, filed_mtime, self._clock(), move.id))
        if move.undoes is not None:
            self._undone.append(move.undoes)

    def failed(self, move: PlannedMove, reason: str) -> None:
        """Note that a move was not carried out: the file is where it was."""
        self._results.append((State.FAILED, reason, None, self._clock(), move.id))

    def flush(self) -> None:
        """Write what was noted. Raises StoreUnusable."""
        if self._results:
            with self._store.writing() as db:
                self._write_results(db)
            self._forget_results()

    def end(self) -> None:
        """End the run; one that planned nothing leaves no trace. Raises StoreUnusable.

        If something is still planned, the run was broken off: recovery ends it.
        """
        with self._store.writing() as db:
            self._write_results(db)
            end_run(db, self.id, self._clock())
        self._forget_results()
        self._lock.retire()

    def _write_results(self, db: sqlite3.Connection) -> None:
        write_results(db, self._results, self._undone)

    def _forget_results(self) -> None:
        self._results, self._undone = [], []


def write_results(
    db: sqlite3.Connection,
    results: Sequence[tuple[str, str | None, int | None, float, int]],
    undone: Sequence[int],
) -> None:
    """Mark moves: (state, reason, filed mtime or None, when, id); `undone` were taken back."""
    db.executemany(
        "UPDATE moves SET state = ?, reason = ?, filed_mtime_ns = ?, at = ? WHERE id = ?",
        [
            (state, reason, None if mtime is None else number_to_column(mtime), at, id)
            for state, reason, mtime, at, id in results
        ],
    )
    db.executemany("UPDATE moves SET state = 'undone' WHERE id = ?", [(id,) for id in undone])


def end_run(db: sqlite3.Connection, run: int, at: float) -> bool:
    """Mark a run as ended if nothing of it is still planned; one without moves is forgotten."""
    states = {
        row["state"] for row in db.execute("SELECT DISTINCT state FROM moves WHERE run = ?", (run,))
    }
    if State.PLANNED in states:
        return False
    if states:
        db.execute("UPDATE runs SET ended = ? WHERE id = ?", (at, run))
    else:
        db.execute("DELETE FROM runs WHERE id = ?", (run,))
    return True


def temporary_name(destination: Path, token: str, move_id: int) -> Path:
    """Name a file that is being copied, in its destination's folder; recovery knows it again."""
    return destination.with_name(f".catdog-{token[:12]}-{move_id}.part")


def read_runs(
    db: sqlite3.Connection, where: str = "1", values: Sequence[Any] = ()
) -> list[RunRecord]:
    """Read runs, the oldest first."""
    return [
        RunRecord(
            id=row["id"],
            token=row["token"],
            command=row["command"],
            folder=from_column(row["folder"]),
            destination=from_column(row["destination"]),
            options=json.loads(row["options"]),
            model_version=row["model_version"],
            started=row["started"],
            copies=bool(row["copies"]),
            ended=row["ended"],
        )
        for row in db.execute(f"SELECT * FROM runs WHERE {where} ORDER BY id", values)
    ]


def read_moves(
    db: sqlite3.Connection, where: str, values: Sequence[Any] = ()
) -> Iterable[PlannedMove]:
    """Read moves, the oldest first, one by one."""
    for row in db.execute(f"SELECT * FROM moves WHERE {where} ORDER BY id", values):
        filed = row["filed_mtime_ns"]
        yield PlannedMove(
            kind=Kind(row["kind"]),
            source=from_column(row["src"]),
            destination=from_column(row["dst"]),
            identity=FileIdentity(
                *(number_from_column(row[name]) for name in ("dev", "ino", "size", "mtime_ns"))
            ),
            label=row["label"],
            confidence=row["confidence"],
            model_version=row["model_version"],
            reason=row["reason"],
            is_photo=row["stem"] is not None,
            undoes=row["undoes"],
            id=row["id"],
            group_id=row["group_id"],
            run=row["run"],
            state=State(row["state"]),
            filed_mtime_ns=None if filed is None else number_from_column(filed),
            found_at=from_column(row["found_at"]) if row["found_at"] else None,
            sha256=row["sha256"],
            pixels=row["pixels"],
            at=row["at"],
        )


def filed_by_another_run(store: Store, run: int, photo: Path) -> bool:
    """Tell whether a run other than `run` has moved a photo, or is about to."""
    with store.reading() as db:
        row = db.execute(
            "SELECT 1 FROM moves WHERE src = ? AND run <> ? AND state IN ('planned', 'done')",
            (to_column(photo), run),
        ).fetchone()
    return row is not None


def was_filed_into(store: Store, folder: Path) -> bool:
    """Tell whether photos were filed into a folder, as a cat or a dog, and not undone."""
    with store.reading() as db:
        row = db.execute(
            "SELECT 1 FROM moves WHERE dst >= ? AND dst < ? AND state = 'done' AND undoes IS NULL"
            " AND label IS NOT NULL AND reason IS NULL LIMIT 1",
            columns_below(folder),
        ).fetchone()
    return row is not None


def stem_key(folder: Path, stem: str) -> bytes:
    """Give what a late sidecar finds its photo by: the folder and the stem, in any case."""
    return to_column(folder / fold(stem))


_INSERT = (
    "INSERT INTO moves (id, run, group_id, kind, src, dst, stem, state, size, mtime_ns, dev, ino,"
    " label, confidence, model_version, reason, undoes, at, sha256, pixels)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _row_of(move: PlannedMove) -> tuple[Any, ...]:
    stem = None
    if move.is_photo:
        stem = stem_key(move.source.parent, os.path.splitext(move.source.name)[0])
    return (
        move.id,
        move.run,
        move.group_id,
        move.kind,
        to_column(move.source),
        to_column(move.destination),
        stem,
        number_to_column(move.identity.size),
        number_to_column(move.identity.mtime_ns),
        str(move.identity.device),
        str(move.identity.inode),
        move.label,
        move.confidence,
        move.model_version,
        move.reason,
        move.undoes,
        move.at,
        move.sha256,
        move.pixels,
    )


def _missing_folders(moves: Iterable[PlannedMove]) -> set[Path]:
    """Name the folders that will have to be made for moves, up to the first that is there."""
    missing: set[Path] = set()
    for folder in {move.destination.parent for move in moves if move.undoes is None}:
        while folder not in missing and not os.path.lexists(folder):
            missing.add(folder)
            folder = folder.parent
    return missing
