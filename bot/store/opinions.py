"""What people said of the answers, what of it may be kept, and how it is forgotten.

Each function is a piece of work for `StoreThread.run`, and part of its transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from bot.store.records import Record
from core.store.database import from_column, to_column
from core.store.feedback_table import Feedback, Source, insert


class Consent(StrEnum):
    """What may be kept of a person's photos that somebody judged."""

    ASKED = "asked"  # as ANSWER, until they say
    ANSWER = "answer"  # its hash, the label, and when
    PHOTO = "photo"  # the photo too


def pseudonym(db: sqlite3.Connection, person: int) -> str:
    """Return a person's name in the feedback: the same each time, and no number of Telegram's."""
    db.execute("INSERT OR IGNORE INTO bot_keys VALUES ('people', ?)", (secrets.token_bytes(32),))
    (key,) = db.execute("SELECT value FROM bot_keys WHERE name = 'people'").fetchone()
    return hmac.new(key, str(person).encode(), hashlib.sha256).hexdigest()[:16]


def consent_of(db: sqlite3.Connection, person: int) -> Consent | None:
    """Return what a person said may be kept; None if they were never asked."""
    row = db.execute("SELECT consent FROM bot_people WHERE person = ?", (person,)).fetchone()
    return Consent(row["consent"]) if row else None


def ask_consent(db: sqlite3.Connection, person: int, row: int) -> None:
    """Note that a person is asked what may be kept, at a photo of theirs, unless they were."""
    db.execute("INSERT OR IGNORE INTO bot_people VALUES (?, ?, ?)", (person, Consent.ASKED, row))


def asked_at(db: sqlite3.Connection, person: int, rows: Sequence[int]) -> int | None:
    """Return the one of these photos at which a person is asked and has not answered yet."""
    found = db.execute(
        "SELECT asked FROM bot_people WHERE person = ? AND consent = ?", (person, Consent.ASKED)
    ).fetchone()
    return found["asked"] if found and found["asked"] in rows else None


def set_consent(db: sqlite3.Connection, person: int, consent: Consent) -> None:
    """Write what a person says may be kept from now on."""
    db.execute("INSERT OR REPLACE INTO bot_people VALUES (?, ?, NULL)", (person, consent))


def record_label(
    db: sqlite3.Connection, record: Record, label: str, *, by: int, may_keep: bool
) -> None:
    """Write what a person says a photo shows, in the place of what was said of it before.

    `may_keep` is whether its owner has allowed, by this press or before, to keep the photo.
    """
    assert record.sha256 is not None
    if record.feedback is not None:
        changed = db.execute(
            "UPDATE feedback SET label = ?, at = ?, person = ? WHERE id = ?",
            (label, time.time(), pseudonym(db, by), record.feedback),
        )
        if may_keep:
            allow_photo(db, record.id)
        if changed.rowcount:
            return
    row = insert(
        db,
        Feedback(
            Source.BOT,
            record.sha256,
            label,
            predicted=record.predicted,
            confidence=record.confidence,
            model_version=record.model_version,
            person=pseudonym(db, by),
            owner=pseudonym(db, record.author),
            consent=Consent.PHOTO if may_keep else Consent.ANSWER,
        ),
    )
    db.execute("UPDATE bot_photos SET feedback = ? WHERE id = ?", (row, record.id))


def label_of(db: sqlite3.Connection, record: Record) -> str | None:
    """Return the label that a person gave a photo."""
    row = db.execute("SELECT label FROM feedback WHERE id = ?", (record.feedback,)).fetchone()
    return row["label"] if row else None


def allow_photo(db: sqlite3.Connection, row: int) -> None:
    """Let a photo be kept that somebody judged."""
    db.execute(
        "UPDATE feedback SET consent = ? WHERE id = (SELECT feedback FROM bot_photos WHERE id = ?)",
        (Consent.PHOTO, row),
    )


def photos_to_keep(db: sqlite3.Connection) -> list[int]:
    """List the rows whose photos may be kept and are not yet."""
    rows = db.execute(
        "SELECT bot_photos.id FROM bot_photos JOIN feedback ON feedback.id = bot_photos.feedback"
        " WHERE feedback.consent = ? AND feedback.path IS NULL",
        (Consent.PHOTO,),
    ).fetchall()
    return [row["id"] for row in rows]


def may_be_kept(db: sqlite3.Connection, row: int) -> bool:
    """Whether a photo may be kept, still."""
    found = db.execute(
        "SELECT 1 FROM feedback JOIN bot_photos ON feedback.id = bot_photos.feedback"
        " WHERE bot_photos.id = ? AND feedback.consent = ?",
        (row, Consent.PHOTO),
    ).fetchone()
    return found is not None


def set_kept(db: sqlite3.Connection, row: int, path: Path) -> bool:
    """Write where a photo is kept; returns False if it may not be (any more)."""
    return bool(
        db.execute(
            "UPDATE feedback SET path = ? WHERE consent = ? AND id ="
            " (SELECT feedback FROM bot_photos WHERE id = ?)",
            (to_column(path), Consent.PHOTO, row),
        ).rowcount
    )


def is_kept(db: sqlite3.Connection, path: Path) -> bool:
    """Whether anybody's photo is this file."""
    found = db.execute("SELECT 1 FROM feedback WHERE path = ?", (to_column(path),)).fetchone()
    return found is not None


def forget(db: sqlite3.Connection, person: int) -> tuple[int, list[Path]]:
    """Delete all that is kept of a person: what they asked and said, and who they are.

    Returns how many entries there were, and the files of kept photos that nobody else gave.
    """
    name = pseudonym(db, person)
    paths = db.execute(
        "SELECT DISTINCT path FROM feedback WHERE ? IN (person, owner) AND path IS NOT NULL",
        (name,),
    ).fetchall()
    gone = sum(
        db.execute(statement, (key,)).rowcount
        for statement, key in (
            ("DELETE FROM feedback WHERE ? IN (person, owner)", name),
            ("DELETE FROM bot_photos WHERE ? IN (person, author)", person),
            ("DELETE FROM bot_people WHERE person = ?", person),
        )
    )
    files = [from_column(row["path"]) for row in paths]
    return gone, [file for file in files if not is_kept(db, file)]
