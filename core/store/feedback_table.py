"""The labels that people gave their photos."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import UnreadableImage
from core.images.decode import read_photo
from core.store.database import Store, from_column, to_column


class Source(StrEnum):
    """Where a label came from."""

    BOT = "bot"
    SORTER = "sorter"
    CLI = "cli"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One label that a person gave a photo."""

    source: Source
    sha256: str
    label: str  # one of the manifest's
    predicted: str | None = None
    confidence: float | None = None
    model_version: str | None = None
    path: Path | None = None  # where the photo last lay
    person: str | None = None  # a pseudonym, never a name or a number of Telegram's
    owner: str | None = None  # whose photo it is, by the same pseudonyms
    consent: str | None = None  # answer or photo: what of it may be kept
    id: int | None = None  # of what stands in the store
    at: float | None = None  # seconds since 1970, of what stands in the store


def record(store: Store, feedback: Feedback) -> None:
    """Write a label down. Raises StoreUnusable."""
    with store.writing() as db:
        insert(db, feedback)


def insert(db: sqlite3.Connection, feedback: Feedback) -> int:
    """Write a label down in a transaction that is open. Returns its row's id."""
    columns = asdict(feedback) | {
        "at": time.time(),
        "source": feedback.source.value,
        "path": to_column(feedback.path) if feedback.path else None,
    }
    cursor = db.execute(
        "INSERT INTO feedback (at, source, sha256, label, predicted, confidence, model_version,"
        " path, person, owner, consent) VALUES (:at, :source, :sha256, :label, :predicted,"
        " :confidence, :model_version, :path, :person, :owner, :consent)",
        columns,
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def recorded(store: Store) -> list[Feedback]:
    """Return all labels, the oldest first. Raises StoreUnusable."""
    with store.reading() as db:
        rows = db.execute("SELECT * FROM feedback ORDER BY id").fetchall()
    return [
        Feedback(
            **{
                **row,
                "source": Source(row["source"]),
                "path": from_column(row["path"]) if row["path"] else None,
            }
        )
        for row in map(dict, rows)
    ]


def drop(store: Store, ids: Collection[int]) -> int:
    """Delete labels. Returns how many there were. Raises StoreUnusable."""
    with store.writing() as db:
        return sum(db.execute("DELETE FROM feedback WHERE id = ?", (one,)).rowcount for one in ids)


def find_photo(store: Store, feedback: Feedback) -> Path | None:
    """Find the photo that a label is of, by its content.

    Searched are where it last lay, and wherever the journal says that it went from there or came
    from. Raises StoreUnusable.
    """
    known: set[Path] = set()
    waiting = [feedback.path] if feedback.path else []
    while waiting:
        path = waiting.pop(0)
        if path in known:
            continue
        known.add(path)
        if _is_it(path, feedback.sha256):
            return path
        with store.reading() as db:
            rows = db.execute(
                "SELECT src, dst, found_at FROM moves"
                " WHERE src = :it OR dst = :it OR found_at = :it ORDER BY id DESC",
                {"it": to_column(path)},
            ).fetchall()
        waiting += [from_column(column) for row in rows for column in row if column is not None]
    return None


def _is_it(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(read_photo(path)).hexdigest() == sha256
    except UnreadableImage:
        return False
