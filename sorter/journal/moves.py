"""Moves, as the journal has them: each is planned before it happens, and marked done after."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """One file's move, from its plan to its end. Paths are absolute."""

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

    def is_as_filed(self, file: FileIdentity) -> bool:
        """Return whether a file has the size and the time of change that this was filed with."""
        planned = self.identity
        filed_mtime_ns = planned.mtime_ns if self.filed_mtime_ns is None else self.filed_mtime_ns
        return (file.size, file.mtime_ns) == (planned.size, filed_mtime_ns)


Group = list[PlannedMove]  # of a photo, which is the first, and its sidecars


def read_moves(
    db: sqlite3.Connection, where: str, values: Sequence[Any] = ()
) -> Iterable[PlannedMove]:
    """Yield moves, the oldest first."""
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
    """Return whether a run other than `run` has moved a photo, or is about to."""
    with store.reading() as db:
        row = db.execute(
            "SELECT 1 FROM moves WHERE src = ? AND run <> ? AND state IN ('planned', 'done')",
            (to_column(photo), run),
        ).fetchone()
    return row is not None


def was_filed_into(store: Store, folder: Path) -> bool:
    """Return whether photos were filed into a folder, as a cat or a dog, and not undone."""
    with store.reading() as db:
        row = db.execute(
            "SELECT 1 FROM moves WHERE dst >= ? AND dst < ? AND state = 'done' AND undoes IS NULL"
            " AND label IS NOT NULL AND reason IS NULL LIMIT 1",
            columns_below(folder),
        ).fetchone()
    return row is not None


def stem_key(folder: Path, stem: str) -> bytes:
    """Return what a late sidecar finds its photo by: the folder and the stem, in any case."""
    return to_column(folder / fold(stem))


def insert_moves(db: sqlite3.Connection, moves: Iterable[PlannedMove]) -> None:
    """Write down moves that are planned."""
    db.executemany(
        "INSERT INTO moves (id, run, group_id, kind, src, dst, stem, state, size, mtime_ns, dev,"
        " ino, label, confidence, model_version, reason, undoes, at, sha256, pixels)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        map(_row_of, moves),
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
