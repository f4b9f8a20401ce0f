"""Files that were left: not sorted again until they change, or the rules do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.store.database import Store, columns_below, from_column, number_to_column, to_column
from sorter.identity import FileIdentity
from sorter.journal.moves import Kind, PlannedMove


class LeftFiles:
    """The files that a folder's daemon has left, over restarts too."""

    def __init__(self, store: Store, rules: str) -> None:
        """`rules` name all that decides: what was left under others is unknown."""
        self._store = store
        self._rules = rules
        self._unwritten: list[tuple[bytes, int | bytes, int | bytes, str, str]] = []

    def reason(self, path: Path, identity: FileIdentity) -> str | None:
        """Return why this very file was left, if it was. Raises StoreUnusable."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT reason FROM stayed WHERE path = ? AND size = ? AND mtime_ns = ?"
                " AND (rules = ? OR rules IS NULL)",
                (*_columns(path, identity), self._rules),
            ).fetchone()
        return str(row["reason"]) if row else None

    def remember(self, path: Path, identity: FileIdentity, reason: str) -> None:
        """Note that a file was left, for `flush` to write."""
        self._unwritten.append((*_columns(path, identity), self._rules, reason))

    def flush(self) -> None:
        """Write what was noted. Raises StoreUnusable."""
        if not self._unwritten:
            return
        with self._store.writing() as db:
            db.executemany(
                "INSERT INTO stayed VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " size = excluded.size, mtime_ns = excluded.mtime_ns, rules = excluded.rules,"
                " reason = excluded.reason WHERE stayed.reason <> 'undone'"
                " OR stayed.size <> excluded.size OR stayed.mtime_ns <> excluded.mtime_ns",
                self._unwritten,
            )
        self._unwritten = []

    def forget_missing(self, folder: Path) -> None:
        """Forget what lay in `folder`, at any depth, and is gone. Raises StoreUnusable.

        What undo put back is kept: the folder may only be unmounted.
        """
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT path FROM stayed WHERE path >= ? AND path < ? AND reason <> 'undone'",
                columns_below(folder),
            )
            gone = [(row["path"],) for row in rows if not os.path.lexists(from_column(row["path"]))]
        if gone:
            with self._store.writing() as db:
                db.executemany("DELETE FROM stayed WHERE path = ?", gone)


def note_leaving(db: sqlite3.Connection, moves: Sequence[PlannedMove]) -> None:
    """Forget the files that are about to move; what undo puts back, `watch` leaves alone."""
    sources = [(to_column(move.source),) for move in moves]
    db.executemany("DELETE FROM stayed WHERE path = ?", sources)
    for move in moves:
        if move.undoes is not None and move.kind is Kind.MOVE:
            restored = move.restored_mtime_ns
            mtime_ns = move.identity.mtime_ns if restored is None else restored
            put_back = replace(move.identity, mtime_ns=mtime_ns)
            db.execute(
                "INSERT OR REPLACE INTO stayed VALUES (?, ?, ?, NULL, 'undone')",
                _columns(move.destination, put_back),
            )


def _columns(path: Path, identity: FileIdentity) -> tuple[bytes, int | bytes, int | bytes]:
    """Return a file's path, size and time as they stand in the store."""
    return to_column(path), number_to_column(identity.size), number_to_column(identity.mtime_ns)
