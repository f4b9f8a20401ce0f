"""What a person said on the page, key by key, as the store has it."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.store import feedback_table
from core.store.database import (
    Store,
    from_column,
    number_from_column,
    number_to_column,
    to_column,
)
from core.store.feedback_table import Feedback, Source


class DecisionState(StrEnum):
    """How far a decision is: one that is open when the server starts is carried out then."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Decision:
    """One key that was pressed for one photo."""

    request: str  # the page's name for it
    folder: Path
    path: Path
    size: int  # bytes
    mtime_ns: int
    label: str
    moves: bool  # the photo goes into a folder
    sha256: str
    model_label: str | None = None
    confidence: float | None = None
    model_version: str | None = None
    id: int = 0
    state: DecisionState = DecisionState.OPEN
    group_id: int | None = None
    feedback: int | None = None


def open_decision(store: Store, decision: Decision) -> int | None:
    """Write down a decision and its label in one transaction, before anything is moved.

    Returns its id, or None if the page has said this one already. Raises StoreUnusable.
    """
    with store.writing() as db:
        said = db.execute(
            "SELECT 1 FROM review_decisions WHERE request = ?", (decision.request,)
        ).fetchone()
        if said is not None:
            return None
        label = feedback_table.insert(
            db,
            Feedback(
                Source.REVIEW,
                decision.sha256,
                decision.label,
                predicted=decision.model_label,
                confidence=decision.confidence,
                model_version=decision.model_version,
                path=decision.path,
            ),
        )
        cursor = db.execute(
            "INSERT INTO review_decisions (request, at, folder, path, size, mtime_ns, label, moves,"
            " state, feedback, model_label, confidence)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)",
            (
                decision.request,
                time.time(),
                to_column(decision.folder),
                to_column(decision.path),
                number_to_column(decision.size),
                number_to_column(decision.mtime_ns),
                decision.label,
                int(decision.moves),
                label,
                decision.model_label,
                decision.confidence,
            ),
        )
        return cursor.lastrowid


def close_decision(
    store: Store,
    id: int,
    state: DecisionState,
    *,
    group_id: int | None = None,
    keep_label: bool = True,
) -> None:
    """Mark a decision; without `keep_label` its label is forgotten. Raises StoreUnusable."""
    with store.writing() as db:
        db.execute(
            "UPDATE review_decisions SET state = ?, group_id = coalesce(?, group_id) WHERE id = ?",
            (state, group_id, id),
        )
        if not keep_label:
            db.execute(
                "DELETE FROM feedback WHERE id ="
                " (SELECT feedback FROM review_decisions WHERE id = ?)",
                (id,),
            )


def is_known(store: Store, request: str) -> bool:
    """Return whether the page has said this already. Raises StoreUnusable."""
    with store.reading() as db:
        row = db.execute("SELECT 1 FROM review_decisions WHERE request = ?", (request,)).fetchone()
    return row is not None


def decisions(
    store: Store, folder: Path, state: DecisionState, *, last: int = -1
) -> list[Decision]:
    """Return a folder's decisions of one state, the newest first; with `last` so many at most.

    Raises StoreUnusable.
    """
    with store.reading() as db:
        rows = db.execute(
            "SELECT review_decisions.*, sha256, model_version FROM review_decisions"
            " LEFT JOIN feedback ON feedback.id = review_decisions.feedback"
            " WHERE folder = ? AND state = ? ORDER BY review_decisions.id DESC LIMIT ?",
            (to_column(folder), state, last),
        ).fetchall()
    return [_decision_of(row) for row in rows]


def newest_done(store: Store, folder: Path) -> Decision | None:
    """Return the newest decision that can be taken back, if there is one. Raises StoreUnusable."""
    return next(iter(decisions(store, folder, DecisionState.DONE, last=1)), None)


def undone_elsewhere(store: Store, folder: Path) -> list[Decision]:
    """Return done decisions whose photo was put back by `catdog undo`, or just before a kill.

    Raises StoreUnusable.
    """
    with store.reading() as db:
        rows = db.execute(
            "SELECT id FROM review_decisions AS one WHERE folder = ? AND state = 'done'"
            " AND group_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM moves WHERE"
            " moves.group_id = one.group_id AND undoes IS NULL AND moves.state IN"
            " ('planned', 'done'))",
            (to_column(folder),),
        ).fetchall()
    ids = {row["id"] for row in rows}
    return [one for one in decisions(store, folder, DecisionState.DONE) if one.id in ids]


def labelled_contents(store: Store) -> set[str]:
    """Return the SHA-256 of photos that a review gave a label. Raises StoreUnusable."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT DISTINCT sha256 FROM feedback WHERE source = ?", (Source.REVIEW,)
        ).fetchall()
    return {row["sha256"] for row in rows}


def _decision_of(row: sqlite3.Row) -> Decision:
    return Decision(
        request=row["request"],
        folder=from_column(row["folder"]),
        path=from_column(row["path"]),
        size=number_from_column(row["size"]),
        mtime_ns=number_from_column(row["mtime_ns"]),
        label=row["label"],
        moves=bool(row["moves"]),
        sha256=row["sha256"] or "",
        model_label=row["model_label"],
        confidence=row["confidence"],
        model_version=row["model_version"],
        id=row["id"],
        state=DecisionState(row["state"]),
        group_id=row["group_id"],
        feedback=row["feedback"],
    )
