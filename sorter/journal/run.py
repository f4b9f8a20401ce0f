"""Runs of the journal: what a command did, and the lock that says that it is alive."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.store.database import Store, from_column, number_to_column, to_column
from sorter.identity import FileIdentity
from sorter.journal.left_files import note_leaving
from sorter.journal.locks import run_lock
from sorter.journal.moves import Group, PlannedMove, State, insert_moves

UNDO = "undo"


@dataclass(frozen=True, slots=True)
class RunRecord:
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
    ) -> None:
        """Begin a run. Raises StoreUnusable."""
        self._store = store
        self.token = uuid.uuid4().hex
        self._lock = run_lock(store.state_dir, self.token)
        if not self._lock.acquire():  # before the row: what recovery finds without a lock is dead
            raise AssertionError("a new lock is free")
        self._results: list[Result] = []
        self._copies = False
        try:
            with store.writing() as db:
                places = (to_column(folder), to_column(destination))
                kept = json.dumps(dict(options or {}))
                row = db.execute(
                    "INSERT INTO runs (token, command, folder, destination, options,"
                    " model_version, started) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (self.token, command, *places, kept, model_version, time.time()),
                )
        except BaseException:
            self._lock.retire()  # a run that could not begin leaves no lock behind
            raise
        assert row.lastrowid is not None
        self.id = row.lastrowid

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def plan(self, groups: Sequence[Group]) -> list[Group]:
        """Write down what is about to be done with groups of files, the photo first in each.

        A group whose first move has a `group_id` already joins that group. Returns the moves with
        their ids, in the same order. Raises StoreUnusable; then nothing may be moved.
        """
        now = time.time()
        planned: list[Group] = []
        with self._store.writing() as db:
            write_results(db, self._results)
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'moves'").fetchone()
            next_id = (row["seq"] if row else 0) + 1
            for group in groups:
                group_id = group[0].group_id or next_id
                planned.append(
                    [
                        replace(move, id=id, group_id=group_id, run=self.id, at=now)
                        for id, move in enumerate(group, next_id)
                    ]
                )
                next_id += len(group)
            all_moves = [move for group in planned for move in group]
            insert_moves(db, all_moves)
            note_leaving(db, all_moves)
            folders = [(to_column(folder),) for folder in _missing_folders(all_moves)]
            db.executemany("INSERT OR IGNORE INTO made_folders VALUES (?)", folders)
        self._results = []
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
        self._results.append(Result.done(move, filed))

    def failed(self, move: PlannedMove, reason: str) -> None:
        """Note that a move was not carried out: the file is where it was."""
        self._results.append(Result(move, State.FAILED, reason))

    def flush(self) -> None:
        """Write what was noted. Raises StoreUnusable."""
        if self._results:
            with self._store.writing() as db:
                write_results(db, self._results)
            self._results = []

    def end(self) -> None:
        """End the run; one that planned nothing leaves no trace. Raises StoreUnusable.

        If something is still planned, the run was broken off: recovery ends it.
        """
        with self._store.writing() as db:
            write_results(db, self._results)
            end_run(db, self.id)
        self._results = []
        self._lock.retire()


@dataclass(frozen=True, slots=True)
class Result:
    move: PlannedMove
    state: State
    reason: str | None
    filed_mtime_ns: int | None = None  # if it is another than was planned
    at: float = field(default_factory=time.time)

    @classmethod
    def done(cls, move: PlannedMove, filed: FileIdentity | None) -> Result:
        """Return that a move was carried out; `filed` is the file in its new place."""
        is_other = filed is not None and filed.mtime_ns != move.identity.mtime_ns
        return cls(move, State.DONE, move.reason, filed.mtime_ns if filed and is_other else None)


def write_results(db: sqlite3.Connection, results: Sequence[Result]) -> None:
    """Mark moves, and those that they have taken back."""
    for one in results:
        filed = None if one.filed_mtime_ns is None else number_to_column(one.filed_mtime_ns)
        db.execute(
            "UPDATE moves SET state = ?, reason = ?, filed_mtime_ns = ?, at = ? WHERE id = ?",
            (one.state, one.reason, filed, one.at, one.move.id),
        )
    db.executemany(
        "UPDATE moves SET state = 'undone' WHERE id = ?",
        [(one.move.undoes,) for one in results if one.state is State.DONE and one.move.undoes],
    )


def end_run(db: sqlite3.Connection, run: int) -> None:
    """Mark a run as ended if nothing of it is still planned; one without moves is forgotten."""
    rows = db.execute("SELECT DISTINCT state FROM moves WHERE run = ?", (run,))
    states = {row["state"] for row in rows}
    if not states:
        db.execute("DELETE FROM runs WHERE id = ?", (run,))
    elif State.PLANNED not in states:
        db.execute("UPDATE runs SET ended = ? WHERE id = ?", (time.time(), run))


def temporary_name(destination: Path, token: str, move_id: int) -> Path:
    """Return the name of a copy that is being made, by which recovery knows it again."""
    return destination.with_name(f".catdog-{token[:12]}-{move_id}.part")


def read_runs(
    db: sqlite3.Connection, where: str = "1", values: Sequence[Any] = ()
) -> list[RunRecord]:
    """Return runs, the oldest first."""
    plain = ("id", "token", "command", "model_version", "started", "ended")
    return [
        RunRecord(
            folder=from_column(row["folder"]),
            destination=from_column(row["destination"]),
            options=json.loads(row["options"]),
            copies=bool(row["copies"]),
            **{name: row[name] for name in plain},
        )
        for row in db.execute(f"SELECT * FROM runs WHERE {where} ORDER BY id", values)
    ]


def _missing_folders(moves: Iterable[PlannedMove]) -> set[Path]:
    """Return the folders that will have to be made for moves, up to the first that is there."""
    missing: set[Path] = set()
    for folder in {move.destination.parent for move in moves if move.undoes is None}:
        while folder not in missing and not os.path.lexists(folder):
            missing.add(folder)
            folder = folder.parent
    return missing
