"""What models answered for files on this machine, so that no photo is decoded twice for one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.store.database import (
    Store,
    from_column,
    number_from_column,
    number_to_column,
    to_column,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One model's answer for one file, as it was when its size and time of change were these."""

    path: Path
    size: int  # bytes
    mtime_ns: int
    model_version: str
    verdict: str  # a VerdictKind's or an UnreadableCode's value
    sha256: str | None = None  # of the file's bytes; None if it could not be read
    network_sha256: str | None = None
    # float32, shape (classes,), in the manifest's order; None if the file could not be read
    probabilities: npt.NDArray[np.float32] | None = None
    # int8, shape (channels,): the mean of the feature map, before scale and zero point
    embedding: npt.NDArray[np.int8] | None = None


def keep_answers(store: Store, answers: Iterable[Answer]) -> None:
    """Keep answers, each in the place of an older one for its path. Raises StoreUnusable."""
    with store.writing() as db:
        db.executemany(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            map(_row_of, answers),
        )


def answers_of(store: Store, paths: Iterable[Path]) -> dict[Path, Answer]:
    """Return the answers that are kept for these files. Raises StoreUnusable."""
    with store.reading() as db:
        rows = (
            db.execute("SELECT * FROM answers WHERE path = ?", (to_column(path),)).fetchone()
            for path in paths
        )
        return {answer.path: answer for answer in map(_answer_of, filter(None, rows))}


def embeddings_of(store: Store, paths: Iterable[Path]) -> dict[Path, npt.NDArray[np.int8]]:
    """Return the embeddings that are kept for these files. Raises StoreUnusable."""
    found: dict[Path, npt.NDArray[np.int8]] = {}
    with store.reading() as db:
        for path in paths:
            row = db.execute(
                "SELECT embedding FROM answers WHERE path = ?", (to_column(path),)
            ).fetchone()
            if row is not None and row["embedding"] is not None:
                found[path] = np.frombuffer(row["embedding"], np.int8)
    return found


def _row_of(answer: Answer) -> tuple[object, ...]:
    return (
        to_column(answer.path),
        number_to_column(answer.size),
        number_to_column(answer.mtime_ns),
        answer.sha256,
        answer.network_sha256,
        answer.model_version,
        answer.verdict,
        None if answer.probabilities is None else answer.probabilities.tobytes(),
        None if answer.embedding is None else answer.embedding.tobytes(),
    )


def _answer_of(row: sqlite3.Row) -> Answer:
    probabilities, embedding = row["probabilities"], row["embedding"]
    return Answer(
        path=from_column(row["path"]),
        size=number_from_column(row["size"]),
        mtime_ns=number_from_column(row["mtime_ns"]),
        sha256=row["sha256"],
        network_sha256=row["network_sha256"],
        model_version=row["model_version"],
        verdict=row["verdict"],
        probabilities=None if probabilities is None else np.frombuffer(probabilities, np.float32),
        embedding=None if embedding is None else np.frombuffer(embedding, np.int8),
    )
