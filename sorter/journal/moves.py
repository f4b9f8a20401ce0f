"""Moves, as the journal has them: each is planned before it happens, and marked done after."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
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
    MOVE = "move"
    COPY = "copy"
    REMOVE = "remove"  # of a copy that catdog made, by undo


class State(StrEnum):
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

# they hold what the field of their name does
_PLAIN_COLUMNS = (
    "id", "run", "group_id", "label", "confidence", "model_version", "reason", "undoes", "at",
    "sha256", "pixels",
)  # fmt: skip


def read_moves(
    db: sqlite3.Connection, where: str, values: Sequence[Any] = ()
) -> Iterator[PlannedMove]:
    """Yield moves, the oldest first."""
    for row in db.execute(f"SELECT * FROM moves WHERE {where} ORDER BY id", values):
        identity = (number_from_column(row[name]) for name in ("dev", "ino", "size", "mtime_ns"))
        filed = row["filed_mtime_ns"]
        yield PlannedMove(
            kind=Kind(row["kind"]),
            source=from_column(row["src"]),
            destination=from_column(row["dst"]),
            identity=FileIdentity(*identity),
            is_photo=row["stem"] is not None,
            state=State(row["state"]),
            filed_mtime_ns=None if filed is None else number_from_column(filed),
            found_at=from_column(row["found_at"]) if row["found_at"] else None,
            **{name: row[name] for name in _PLAIN_COLUMNS},
        )


# of moves that nothing has taken back as far as the journal knows
IN_PLACE = (
    "state = 'done' AND undoes IS NULL AND run NOT IN (SELECT id FROM runs WHERE command = 'undo')"
)


def has_move(store: Store, where: str, values: Sequence[Any]) -> bool:
    with store.reading() as db:
        row = db.execute(f"SELECT 1 FROM moves WHERE {where} LIMIT 1", values).fetchone()
    return row is not None


def filed_by_another_run(store: Store, run: int, photo: Path) -> bool:
    """Return whether a run other than `run` has moved a photo, or is about to."""
    where = "src = ? AND run <> ? AND state IN ('planned', 'done')"
    return has_move(store, where, (to_column(photo), run))


def was_filed_into(store: Store, folder: Path) -> bool:
    """Return whether photos were filed into a folder, as a cat or a dog, and not undone."""
    filed = "state = 'done' AND undoes IS NULL AND label IS NOT NULL AND reason IS NULL"
    return has_move(store, f"dst >= ? AND dst < ? AND {filed}", columns_below(folder))


def stem_key(folder: Path, stem: str) -> bytes:
    """Return what a late sidecar finds its photo by: the folder and the stem, in any case."""
    return to_column(folder / fold(stem))


def insert_moves(db: sqlite3.Connection, moves: Iterable[PlannedMove]) -> None:
    rows = [_row_of(move) for move in moves]
    if rows:
        columns, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        db.executemany(f"INSERT INTO moves ({columns}) VALUES ({marks})", rows)


def _row_of(move: PlannedMove) -> dict[str, Any]:
    stem = os.path.splitext(move.source.name)[0]
    return {
        "kind": move.kind,
        "src": to_column(move.source),
        "dst": to_column(move.destination),
        "stem": stem_key(move.source.parent, stem) if move.is_photo else None,
        "state": State.PLANNED,
        "size": number_to_column(move.identity.size),
        "mtime_ns": number_to_column(move.identity.mtime_ns),
        "dev": str(move.identity.device),
        "ino": str(move.identity.inode),
        **{name: getattr(move, name) for name in _PLAIN_COLUMNS},
    }
