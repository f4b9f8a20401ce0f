"""The one SQLite file in the state folder: how it is opened, brought up to date, and written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CatdogError
from core.paths import display
from core.store.schema import MIGRATIONS

_FILE = "catdog.sqlite3"
_BUSY_SECONDS = 60.0  # to wait for another process that is writing


class StoreUnusable(CatdogError):
    """The journal cannot be read or written; without it nothing is moved."""


class Store:
    """A connection to the journal, for one thread; any number of processes may have one."""

    def __init__(self, state_dir: Path) -> None:
        """Open the store, made or brought up to date if need be. Raises StoreUnusable."""
        self.state_dir = state_dir
        self.path = state_dir / _FILE
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnusable(
                f"The state folder {display(state_dir)} cannot be made ({error.strerror}). "
                "Name another with --state-dir."
            ) from error
        with self._explained():
            self._connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            # a plan must have reached the disk before the move that it is about
            self._connection.execute("PRAGMA synchronous = FULL")
            self._migrate()
        status = self.path.stat()
        self._identity = (status.st_dev, status.st_ino)

    def check(self) -> None:
        """Raise StoreUnusable if the file that is open is not the one at its path any more."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise StoreUnusable(
                f"The journal {display(self.path)} is gone ({error.strerror}). Start catdog again."
            ) from error
        if (status.st_dev, status.st_ino) != self._identity:
            raise StoreUnusable(
                f"The journal {display(self.path)} is not the one that was opened. Start catdog "
                "again."
            )

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Query. Raises StoreUnusable."""
        with self._explained():
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Make one transaction, on disk when the context ends. Raises StoreUnusable."""
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == len(MIGRATIONS):
            return
        # again under the lock: another process may be doing the same
        self._connection.execute("BEGIN EXCLUSIVE")
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise StoreUnusable(
                    f"{display(self.path)} was written by a newer catdog (version {version}; this "
                    f"one knows {len(MIGRATIONS)}). Update catdog."
                )
            for script in MIGRATIONS[version:]:
                for statement in script.split(";\n"):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreUnusable(
                f"The journal {display(self.path)} cannot be used ({error}). Nothing is moved "
                "without it: make room on that disk or repair it, or name another folder with "
                "--state-dir."
            ) from error


def to_column(path: Path | str) -> bytes:
    """Return a path as it stands in the store."""
    return os.fsencode(path)


def from_column(column: bytes) -> Path:
    return Path(os.fsdecode(column))


def number_to_column(number: int) -> int | bytes:
    """Return a number as it stands in the store: SQLite's own have 63 bits and a sign.

    Times in nanoseconds have more after the year 2262, which file systems can hold.
    """
    return number if -(2**63) <= number < 2**63 else str(number).encode()


def number_from_column(column: int | bytes | str) -> int:
    return int(column)


def columns_below(folder: Path) -> tuple[bytes, bytes]:
    """Return the bounds of all paths below a folder as they stand in the store: `>=` and `<`."""
    start = to_column(folder) + os.fsencode(os.sep)
    return start, start[:-1] + bytes([start[-1] + 1])
