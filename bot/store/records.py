"""The rows of what the bot was asked, answered and told. Each function is one piece of work
for `StoreThread.run`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.model.verdict import Verdict

KEPT_DAYS = 7  # that an answer's buttons work and /why finds its photo


class Purpose(StrEnum):
    """What a photo was sent or pointed at for."""

    WHAT = "what"
    WHY = "why"


class State(StrEnum):
    """How far an accepted photo has come."""

    WAITING = "waiting"
    WORKING = "working"
    SENDING = "sending"  # the answer may have reached Telegram: it is never sent again
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo that the bot was asked about. Numbers and ids are Telegram's."""

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
    has_spoiler: bool = False  # it is hidden until it is tapped


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a photo, as the row keeps it."""

    sha256: str
    label: str
    confidence: float
    model_version: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A row."""

    id: int
    asked: Asked
    state: State
    attempts: int
    answer: int | None  # the bot's message, if it is known
    seen: Seen | None
    feedback: int | None  # the id of what was pressed


def accept(db: sqlite3.Connection, asked: Asked) -> int | None:
    """Keep what was asked before any work on it; None if this message is there already."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO bot_photos (at, chat, message, asked, thread, person, author,"
        " language, purpose, album, file_id, size, position, spoiler, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            asked.at,
            asked.chat,
            asked.message,
            asked.asked,
            asked.thread,
            asked.person,
            asked.author,
            asked.language,
            asked.purpose,
            asked.album,
            asked.file_id,
            asked.size,
            asked.position,
            asked.has_spoiler,
            State.WAITING,
        ),
    )
    return cursor.lastrowid if cursor.rowcount else None


def begin(db: sqlite3.Connection, row: int) -> None:
    """Note that a photo is looked at: what kills the bot then is not tried for ever."""
    db.execute(
        "UPDATE bot_photos SET state = ?, attempts = attempts + 1 WHERE id = ?",
        (State.WORKING, row),
    )


def set_prediction(db: sqlite3.Connection, row: int, sha256: str, verdict: Verdict) -> None:
    """Keep what was seen, and count it."""
    prediction = verdict.prediction
    db.execute(
        "UPDATE bot_photos SET sha256 = ?, predicted = ?, confidence = ?, model_version = ?,"
        " sure = ? WHERE id = ?",
        (
            sha256,
            prediction.label,
            prediction.confidence,
            prediction.model_version,
            verdict.is_sure,
            row,
        ),
    )


def finish(db: sqlite3.Connection, ids: list[int], answer: int | None) -> None:
    """Note that photos were answered, and by which message, if that is known."""
    db.executemany(
        "UPDATE bot_photos SET state = ?, answer = ? WHERE id = ?",
        [(State.DONE, answer, row) for row in ids],
    )


def mark(db: sqlite3.Connection, ids: list[int], state: State) -> None:
    """Say how far photos have come."""
    db.executemany("UPDATE bot_photos SET state = ? WHERE id = ?", [(state, row) for row in ids])


def unanswered(db: sqlite3.Connection, *, since: float) -> list[Record]:
    """Take what a bot that was killed left, the oldest first; what is older than `since` and
    what may have been answered is done."""
    db.execute(
        "UPDATE bot_photos SET state = ? WHERE state = ? OR (state != ? AND at < ?)",
        (State.DONE, State.SENDING, State.DONE, since),
    )
    rows = db.execute(
        "SELECT * FROM bot_photos WHERE state != ? ORDER BY id", (State.DONE,)
    ).fetchall()
    return [_record(row) for row in rows]


def find(db: sqlite3.Connection, row: int) -> Record | None:
    """Give a row, if it is still there."""
    found = db.execute("SELECT * FROM bot_photos WHERE id = ?", (row,)).fetchone()
    return _record(found) if found else None


def find_all(db: sqlite3.Connection, rows: list[int]) -> list[Record]:
    """Give those rows that are still there."""
    return [found for row in rows if (found := find(db, row)) is not None]


def answered_with(db: sqlite3.Connection, record: Record) -> list[Record]:
    """Give the rows that were answered by the same message as one, in its order."""
    if record.asked.album is None:
        return find_all(db, [record.id])
    rows = db.execute(
        "SELECT * FROM bot_photos WHERE chat = ? AND album = ? AND answer IS ? AND purpose = ?"
        " ORDER BY message",
        (record.asked.chat, record.asked.album, record.answer, record.asked.purpose),
    ).fetchall()
    return [_record(row) for row in rows]


def find_answered(db: sqlite3.Connection, chat: int, answer: int) -> Record | None:
    """Give the photo that a message of the bot's is about, an album's first."""
    found = db.execute(
        "SELECT * FROM bot_photos WHERE chat = ? AND answer = ? ORDER BY message", (chat, answer)
    ).fetchone()
    return _record(found) if found else None


def of_message(db: sqlite3.Connection, chat: int, message: int) -> Record | None:
    """Give what was asked about a photo's message, its own question first."""
    found = db.execute(
        "SELECT * FROM bot_photos WHERE chat = ? AND message = ? ORDER BY asked != message, id",
        (chat, message),
    ).fetchone()
    return _record(found) if found else None


def place(db: sqlite3.Connection, positions: Mapping[int, int]) -> None:
    """Say where photos stand in their album, by row."""
    db.executemany(
        "UPDATE bot_photos SET position = ? WHERE id = ?",
        [(position, row) for row, position in positions.items()],
    )


def last_photo(db: sqlite3.Connection, chat: int, person: int) -> Record | None:
    """Give the photo that a person asked about last in a chat."""
    found = db.execute(
        "SELECT * FROM bot_photos WHERE chat = ? AND person = ? ORDER BY id DESC", (chat, person)
    ).fetchone()
    return _record(found) if found else None


def forget_old(db: sqlite3.Connection, *, before: float) -> int:
    """Take away rows that are too old to be of use; gives how many."""
    return db.execute(
        "DELETE FROM bot_photos WHERE at < ? AND state = ?", (before, State.DONE)
    ).rowcount


def count(db: sqlite3.Connection, *what: str) -> None:
    """Add one to each of these tallies."""
    db.executemany(
        "INSERT INTO bot_tally VALUES (?, 1) ON CONFLICT (what) DO UPDATE SET times = times + 1",
        [(one,) for one in what],
    )


def tallies(db: sqlite3.Connection) -> dict[str, int]:
    """Give all tallies."""
    return {row["what"]: row["times"] for row in db.execute("SELECT * FROM bot_tally")}


def key(db: sqlite3.Connection, name: str) -> bytes | None:
    """Give what was kept under a name."""
    row = db.execute("SELECT value FROM bot_keys WHERE name = ?", (name,)).fetchone()
    return bytes(row["value"]) if row else None


def set_key(db: sqlite3.Connection, name: str, value: bytes) -> None:
    """Keep something under a name."""
    db.execute("INSERT OR REPLACE INTO bot_keys VALUES (?, ?)", (name, value))


def set_auto(db: sqlite3.Connection, chat: int, on: bool) -> None:
    """Have every photo of a group answered, or only those that the bot is asked about."""
    db.execute("INSERT OR REPLACE INTO bot_chats VALUES (?, ?)", (chat, on))


def auto_chats(db: sqlite3.Connection) -> set[int]:
    """Give the groups where every photo is answered."""
    return {row["chat"] for row in db.execute("SELECT chat FROM bot_chats WHERE auto")}


def move_chat(db: sqlite3.Connection, old: int, new: int) -> None:
    """Follow a group that became a supergroup, which has another number."""
    # photos stay where they were: their messages' numbers are others' in the new one
    db.execute("UPDATE OR REPLACE bot_chats SET chat = ? WHERE chat = ?", (new, old))


def moved_chats(db: sqlite3.Connection) -> dict[int, int]:
    """Give the groups on the allow list that became supergroups, by their old number."""
    return {row["old"]: row["new"] for row in db.execute("SELECT old, new FROM bot_moved_chats")}


def note_moved(db: sqlite3.Connection, old: int, new: int) -> None:
    """Keep that a group on the allow list has another number now."""
    db.execute("INSERT OR REPLACE INTO bot_moved_chats VALUES (?, ?)", (old, new))


def _record(row: sqlite3.Row) -> Record:
    seen = None
    if row["sha256"] is not None:
        seen = Seen(
            row["sha256"],
            row["predicted"],
            row["confidence"],
            row["model_version"],
            bool(row["sure"]),
        )
    return Record(
        id=row["id"],
        asked=Asked(
            at=row["at"],
            chat=row["chat"],
            message=row["message"],
            asked=row["asked"],
            thread=row["thread"],
            person=row["person"],
            author=row["author"],
            language=row["language"],
            purpose=Purpose(row["purpose"]),
            album=row["album"],
            file_id=row["file_id"],
            size=row["size"],
            position=row["position"],
            has_spoiler=bool(row["spoiler"]),
        ),
        state=State(row["state"]),
        attempts=row["attempts"],
        answer=row["answer"],
        seen=seen,
        feedback=row["feedback"],
    )
