"""What people said of the answers, what of it may be kept, and how it is forgotten. Each
function is one piece of work for `StoreThread.run`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time
from enum import StrEnum
from pathlib import Path

from bot.store.records import Record, find
from core.feedback import Feedback, Source, insert
from core.store import from_column, to_column


class Consent(StrEnum):
    """What may be kept of a photo that a person said something of."""

    ANSWER = "answer"  # its hash, the label, and when
    PHOTO = "photo"  # the photo too


def pseudonym(db: sqlite3.Connection, person: int) -> str:
    """Name a person in the feedback: the same each time, and no number of Telegram's."""
    db.execute("INSERT OR IGNORE INTO bot_keys VALUES ('people', ?)", (secrets.token_bytes(32),))
    (key,) = db.execute("SELECT value FROM bot_keys WHERE name = 'people'").fetchone()
    return hmac.new(key, str(person).encode(), hashlib.sha256).hexdigest()[:16]


def consent_of(db: sqlite3.Connection, person: int) -> Consent | None:
    """Give what a person said may be kept; None if they were never asked."""
    row = db.execute("SELECT consent FROM bot_people WHERE person = ?", (person,)).fetchone()
    return Consent(row["consent"]) if row else None


def set_consent(db: sqlite3.Connection, person: int, consent: Consent) -> None:
    """Keep what a person says may be kept from now on."""
    db.execute("INSERT OR REPLACE INTO bot_people VALUES (?, ?)", (person, consent))


def say(db: sqlite3.Connection, record: Record, label: str, *, by: int, consent: Consent) -> None:
    """Keep what a person says a photo shows, in the place of what was said of it before."""
    assert record.seen is not None
    seen = record.seen
    known = record.feedback and db.execute(
        "UPDATE feedback SET label = ?, at = ?, person = ? WHERE id = ?",
        (label, time.time(), pseudonym(db, by), record.feedback),
    )
    if known and known.rowcount:
        return
    row = insert(
        db,
        Feedback(
            Source.BOT,
            seen.sha256,
            label,
            predicted=seen.label,
            confidence=seen.confidence,
            model_version=seen.model_version,
            person=pseudonym(db, by),
            consent=consent,
        ),
    )
    db.execute("UPDATE bot_photos SET feedback = ? WHERE id = ?", (row, record.id))


def said_of(db: sqlite3.Connection, record: Record) -> str | None:
    """Give the label that was pressed for a photo."""
    row = db.execute("SELECT label FROM feedback WHERE id = ?", (record.feedback,)).fetchone()
    return row["label"] if row else None


def allow_photo(db: sqlite3.Connection, row: int) -> None:
    """Let a photo be kept of which something was said."""
    record = find(db, row)
    if record is not None and record.feedback is not None:
        db.execute("UPDATE feedback SET consent = ? WHERE id = ?", (Consent.PHOTO, record.feedback))


def to_keep(db: sqlite3.Connection) -> list[int]:
    """List the rows whose photos may be kept and are not yet."""
    rows = db.execute(
        "SELECT bot_photos.id FROM bot_photos JOIN feedback ON feedback.id = bot_photos.feedback"
        " WHERE feedback.consent = ? AND feedback.path IS NULL",
        (Consent.PHOTO,),
    ).fetchall()
    return [row["id"] for row in rows]


def kept(db: sqlite3.Connection, row: int, path: Path) -> bool:
    """Say where a photo was kept; False if it may not be (any more)."""
    return bool(
        db.execute(
            "UPDATE feedback SET path = ? WHERE consent = ? AND id ="
            " (SELECT feedback FROM bot_photos WHERE id = ?)",
            (to_column(path), Consent.PHOTO, row),
        ).rowcount
    )


def forget(db: sqlite3.Connection, person: int) -> tuple[int, list[Path]]:
    """Take away all that is kept of a person.

    Returns: how many answers and labels there were, and the files of kept photos that nobody
    else gave.
    """
    db.execute("PRAGMA secure_delete = ON")  # overwritten, not only marked as free
    name = pseudonym(db, person)
    paths = db.execute(
        "SELECT DISTINCT path FROM feedback WHERE person = ? AND source = ? AND path IS NOT NULL",
        (name, Source.BOT),
    ).fetchall()
    gone = db.execute(
        "DELETE FROM feedback WHERE person = ? AND source = ?", (name, Source.BOT)
    ).rowcount
    gone += db.execute("DELETE FROM bot_photos WHERE person = ?", (person,)).rowcount
    db.execute("DELETE FROM bot_people WHERE person = ?", (person,))
    files = [
        from_column(row["path"])
        for row in paths
        if not db.execute("SELECT 1 FROM feedback WHERE path = ?", (row["path"],)).fetchone()
    ]
    return gone, files
