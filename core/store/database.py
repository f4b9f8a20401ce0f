"""The one SQLite file in the state folder: its schema, its migrations, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import CatdogError
from core.paths import display

_FILE = "catdog.sqlite3"
_BUSY_SECONDS = 60.0  # to wait for another process that is writing

# One script a version; `user_version` counts those that were run. What was released stays as it is.
_MIGRATIONS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        token TEXT NOT NULL UNIQUE,        -- names the run's lock and its temporary files
        command TEXT NOT NULL,             -- sort, watch or undo
        folder BLOB NOT NULL,
        destination BLOB NOT NULL,
        options TEXT NOT NULL,             -- JSON
        model_version TEXT,
        started REAL NOT NULL,             -- seconds since 1970, as all times of day here
        copies INTEGER NOT NULL DEFAULT 0, -- 1: some of its moves go across file systems
        ended REAL                         -- null: alive, or killed
    );
    CREATE TABLE moves (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES runs(id),
        group_id INTEGER NOT NULL,         -- the id of the photo's own row, for it and its sidecars
        kind TEXT NOT NULL,                -- move, copy or remove (a copy, by undo)
        src BLOB NOT NULL,                 -- absolute paths, as os.fsencode gives them
        dst BLOB NOT NULL,
        stem BLOB,                         -- of a photo: where a late sidecar would look for it
        state TEXT NOT NULL,               -- planned, done, undone or failed
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        dev TEXT NOT NULL,                 -- text: some systems' numbers have more than 63 bits
        ino TEXT NOT NULL,
        filed_mtime_ns INTEGER,            -- at dst, where its file system keeps coarser times
        sha256 TEXT,                       -- null until needed
        label TEXT,
        confidence REAL,
        model_version TEXT,
        reason TEXT,
        undoes INTEGER REFERENCES moves(id),
        found_at BLOB,                     -- where the person has moved it to by hand
        at REAL NOT NULL
    );
    CREATE INDEX moves_of_run ON moves (run);
    CREATE INDEX moves_of_group ON moves (group_id);
    CREATE INDEX moves_to ON moves (dst);
    CREATE INDEX moves_from ON moves (src);
    CREATE INDEX moves_by_stem ON moves (stem) WHERE stem IS NOT NULL;
    CREATE INDEX moves_planned ON moves (run) WHERE state = 'planned';
    CREATE TABLE made_folders (            -- undo takes them away again once they are empty
        path BLOB PRIMARY KEY
    ) WITHOUT ROWID;
    CREATE TABLE stayed (                  -- looked at and left where they are
        path BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        rules TEXT,                        -- what decided; null: put back by undo, whatever decides
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE daemons (                 -- what `status` shows of each folder's daemon
        folder BLOB PRIMARY KEY,
        pid INTEGER NOT NULL,
        started REAL NOT NULL,
        beat REAL NOT NULL,                -- when it last wrote this
        mode TEXT NOT NULL,                -- events or polling
        last_event REAL,
        filed INTEGER NOT NULL,
        stayed INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        trouble TEXT
    ) WITHOUT ROWID;
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        source TEXT NOT NULL,              -- bot, sorter or cli
        sha256 TEXT NOT NULL,
        label TEXT NOT NULL,               -- what the person says it is
        predicted TEXT,                    -- what the model said
        confidence REAL,
        model_version TEXT,
        path BLOB,                         -- where the photo was last seen
        person TEXT,
        consent TEXT
    );
    CREATE INDEX feedback_of_photo ON feedback (sha256);
    """,
    """
    CREATE TABLE bot_photos (              -- what the bot was asked about, for some days
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- stands in the buttons under the answer
        at REAL NOT NULL,
        chat INTEGER NOT NULL,             -- Telegram's numbers, here and below
        message INTEGER NOT NULL,          -- the photo's
        asked INTEGER NOT NULL,            -- the message that asked: the photo's own, or a command
        thread INTEGER,                    -- the topic of a forum
        person INTEGER NOT NULL,           -- who asked
        author INTEGER NOT NULL,           -- whose photo it is
        language TEXT NOT NULL,
        purpose TEXT NOT NULL,             -- what or why
        album TEXT,
        file_id TEXT NOT NULL,
        size INTEGER,                      -- bytes, if Telegram said so
        state TEXT NOT NULL,               -- waiting, working, sending or done
        attempts INTEGER NOT NULL DEFAULT 0, -- times that work on it began
        sha256 TEXT,
        predicted TEXT,
        confidence REAL,
        model_version TEXT,
        sure INTEGER,                      -- 1: the confidence reached the threshold
        answer INTEGER,                    -- the bot's message
        feedback INTEGER,                  -- the id of what was pressed
        UNIQUE (chat, asked)               -- a message that is delivered again changes nothing
    );
    CREATE INDEX bot_photos_open ON bot_photos (state) WHERE state != 'done';
    CREATE INDEX bot_photos_of_person ON bot_photos (person);
    CREATE INDEX bot_photos_of_author ON bot_photos (author);
    CREATE INDEX bot_photos_by_answer ON bot_photos (chat, answer);
    CREATE INDEX bot_photos_by_age ON bot_photos (at);
    CREATE TABLE bot_people (              -- who was asked what may be kept, and said
        person INTEGER PRIMARY KEY,
        consent TEXT NOT NULL,             -- asked, answer or photo
        asked INTEGER                      -- the row of bot_photos at which they were asked
    );
    CREATE TABLE bot_chats (
        chat INTEGER PRIMARY KEY,
        auto INTEGER NOT NULL              -- 1: every photo is answered
    );
    CREATE TABLE bot_tally (               -- how often, in all
        what TEXT PRIMARY KEY,
        times INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE bot_keys (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE feedback ADD COLUMN owner TEXT;
    CREATE INDEX feedback_of_person ON feedback (person) WHERE person IS NOT NULL;
    CREATE INDEX feedback_of_owner ON feedback (owner) WHERE owner IS NOT NULL;
    """,
    """
    -- of some pixels as they were decoded for filing: what tags do not change; null of sidecars
    ALTER TABLE moves ADD COLUMN pixels TEXT;
    """,
    """
    -- where it stands in its album, as people count
    ALTER TABLE bot_photos ADD COLUMN position INTEGER;
    -- 1: hidden until it is tapped
    ALTER TABLE bot_photos ADD COLUMN spoiler INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE bot_moved_chats (         -- groups on the allow list that became supergroups
        old INTEGER PRIMARY KEY,
        new INTEGER NOT NULL
    );
    """,
)


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
        if version == len(_MIGRATIONS):
            return
        # again under the lock: another process may be doing the same
        self._connection.execute("BEGIN EXCLUSIVE")
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise StoreUnusable(
                    f"{display(self.path)} was written by a newer catdog (version {version}; this "
                    f"one knows {len(_MIGRATIONS)}). Update catdog."
                )
            for script in _MIGRATIONS[version:]:
                for statement in script.split(";\n"):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
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
