"""What people say their photos are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.store import Store, from_column, to_column


class Source(StrEnum):
    """Where a label came from."""

    BOT = "bot"
    SORTER = "sorter"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One label that a person gave a photo."""

    source: Source
    sha256: str
    label: str  # one of the manifest's
    predicted: str | None = None
    confidence: float | None = None
    model_version: str | None = None
    path: Path | None = None  # where the photo was last seen
    person: str | None = None
    consent: str | None = None


def record(store: Store, feedback: Feedback) -> None:
    """Keep a label. Raises StoreUnusable."""
    with store.writing() as db:
        db.execute(
            "INSERT INTO feedback (at, source, sha256, label, predicted, confidence,"
            " model_version, path, person, consent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                time.time(),
                feedback.source.value,
                feedback.sha256,
                feedback.label,
                feedback.predicted,
                feedback.confidence,
                feedback.model_version,
                to_column(feedback.path) if feedback.path else None,
                feedback.person,
                feedback.consent,
            ),
        )


def recorded(store: Store) -> list[Feedback]:
    """List all labels, the oldest first. Raises StoreUnusable."""
    with store.reading() as db:
        rows = db.execute("SELECT * FROM feedback ORDER BY id").fetchall()
    return [
        Feedback(
            source=Source(row["source"]),
            sha256=row["sha256"],
            label=row["label"],
            predicted=row["predicted"],
            confidence=row["confidence"],
            model_version=row["model_version"],
            path=from_column(row["path"]) if row["path"] else None,
            person=row["person"],
            consent=row["consent"],
        )
        for row in rows
    ]
