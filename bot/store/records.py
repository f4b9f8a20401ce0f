"""The rows of what the bot was asked and how it answered, and of what it counts.

Each function is a piece of work for `StoreThread.run`, and part of its transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from core.model.verdict import Verdict

KEPT_DAYS = 7  # that an answer's buttons work and /why finds its photo


class Purpose(StrEnum):
    """What a photo was sent or pointed at for."""

    WHAT = "what"
    WHY = "why"


class State(StrEnum):
    """How far a photo has come."""

    WAITING = "waiting"
    WORKING = "working"
    SENDING = "sending"  # the answer may have reached Telegram: it is never sent again
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Record:
    """A photo that the bot was asked about, by the columns of its row.

    Numbers and ids are Telegram's, but for `id` and `feedback`.
    """

    at: float  # seconds since 1970
    chat: int
    message: int  # the photo's
    asked: int  # the message that asked: the photo's own, or a command
    thread: int | None
    person: int  # who asked
    author: int  # whose photo it is
    language: str
    purpose: Purpose
    album: str | None
    file_id: str
    size: int | None  # bytes, if Telegram said so
    position: int | None = None  # in its album as the person sees it, from 1
    spoiler: bool = False  # it is hidden until it is tapped
    state: State = State.WAITING
    attempts: int = 0  # times that work on it began
    sha256: str | None = None  # of the file; none before a prediction
    predicted: str | None = None  # label
    confidence: float | None = None  # 0 to 1
    model_version: str | None = None
    answer: int | None = None  # the bot's message, if it is known
    feedback: int | None = None  # the row of what a person said
    id: int = 0  # once it is in the store


_COLUMNS = [column.name for column in fields(Record)]
_GIVEN = [name for name in _COLUMNS if name != "id"]


def accept(db: sqlite3.Connection, record: Record) -> int | None:
    """Insert a photo before any work on it; returns its id, or None if the message is there."""
    names, values = ", ".join(_GIVEN), ", ".join(f":{name}" for name in _GIVEN)
    cursor = db.execute(
        f"INSERT OR IGNORE INTO bot_photos ({names}) VALUES ({values})", asdict(record)
    )
    return cursor.lastrowid if cursor.rowcount else None


def begin(db: sqlite3.Connection, row: int) -> None:
    """Note that work on a photo begins: what kills the bot then is not tried for ever."""
    db.execute(
        "UPDATE bot_photos SET state = ?, attempts = attempts + 1 WHERE id = ?",
        (State.WORKING, row),
    )


def set_prediction(db: sqlite3.Connection, row: int, sha256: str, verdict: Verdict) -> None:
    found = verdict.prediction
    db.execute(
        "UPDATE bot_photos SET sha256 = ?, predicted = ?, confidence = ?, model_version = ?,"
        " sure = ? WHERE id = ?",
        (sha256, found.label, found.confidence, found.model_version, verdict.is_sure, row),
    )


def set_state(
    db: sqlite3.Connection, ids: Sequence[int], state: State, *, answer: int | None = None
) -> None:
    """Write how far photos have come, and which message answers them, if that is known."""
    db.executemany(
        "UPDATE bot_photos SET state = ?, answer = ? WHERE id = ?",
        [(state, answer, row) for row in ids],
    )


def set_positions(db: sqlite3.Connection, positions: Mapping[int, int]) -> None:
    """Write where photos stand in their album, by row."""
    db.executemany(
        "UPDATE bot_photos SET position = ? WHERE id = ?",
        [(position, row) for row, position in positions.items()],
    )


def unanswered(db: sqlite3.Connection, *, since: float) -> list[Record]:
    """Return what a bot that was killed left to be answered, the oldest first.

    What is older than `since` (seconds since 1970) and what may have been answered is done.
    """
    db.execute(
        "UPDATE bot_photos SET state = ? WHERE state = ? OR (state != ? AND at < ?)",
        (State.DONE, State.SENDING, State.DONE, since),
    )
    return _select(db, "state != ? ORDER BY id", State.DONE)


def find(db: sqlite3.Connection, row: int) -> Record | None:
    """Return a row, if it is still there."""
    return _first(db, "id = ?", row)


def find_all(db: sqlite3.Connection, rows: Sequence[int]) -> list[Record]:
    """Return those of these rows that are still there."""
    return [found for row in rows if (found := find(db, row)) is not None]


def answered_together(db: sqlite3.Connection, record: Record) -> list[Record]:
    """Return the rows that were answered by the same message as one, in its order."""
    if record.album is None:
        return _select(db, "id = ?", record.id)
    return _select(
        db,
        "chat = ? AND album = ? AND purpose = ?"
        " AND answer IS (SELECT answer FROM bot_photos WHERE id = ?) ORDER BY message",
        record.chat,
        record.album,
        record.purpose,
        record.id,  # its answer may have become known since it was read
    )


def find_answered(db: sqlite3.Connection, chat: int, answer: int) -> Record | None:
    """Return the photo that a message of the bot's is about, an album's first."""
    return _first(db, "chat = ? AND answer = ? ORDER BY message", chat, answer)


def find_message(db: sqlite3.Connection, chat: int, message: int) -> Record | None:
    """Return what was asked about a photo's message, its own question first."""
    return _first(db, "chat = ? AND message = ? ORDER BY asked != message, id", chat, message)


def last_photo(db: sqlite3.Connection, chat: int, person: int) -> Record | None:
    """Return the photo that a person asked about last in a chat."""
    return _first(db, "chat = ? AND person = ? ORDER BY id DESC", chat, person)


def forget_old(db: sqlite3.Connection, *, before: float) -> None:
    """Delete rows that are too old to be of use: from before so many seconds since 1970."""
    db.execute("DELETE FROM bot_photos WHERE at < ? AND state = ?", (before, State.DONE))


def count(db: sqlite3.Connection, *what: str) -> None:
    """Add one to each of these tallies."""
    db.executemany(
        "INSERT INTO bot_tally VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET times = times + 1",
        [(one,) for one in what],
    )


def tallies(db: sqlite3.Connection) -> dict[str, int]:
    return {row["what"]: row["times"] for row in db.execute("SELECT * FROM bot_tally")}


def key(db: sqlite3.Connection, name: str) -> bytes | None:
    row = db.execute("SELECT value FROM bot_keys WHERE name = ?", (name,)).fetchone()
    return bytes(row["value"]) if row else None


def set_key(db: sqlite3.Connection, name: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO bot_keys VALUES (?, ?)", (name, value))


def _first(db: sqlite3.Connection, where: str, *values: object) -> Record | None:
    return next(iter(_select(db, f"{where} LIMIT 1", *values)), None)


def _select(db: sqlite3.Connection, where: str, *values: object) -> list[Record]:
    rows = db.execute(f"SELECT * FROM bot_photos WHERE {where}", values).fetchall()
    return [
        Record(
            **{name: row[name] for name in _COLUMNS}
            | {
                "purpose": Purpose(row["purpose"]),
                "state": State(row["state"]),
                "spoiler": bool(row["spoiler"]),
            }
        )
        for row in rows
    ]
