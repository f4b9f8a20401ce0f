"""What a table says of the files of this machine's disk, for those who file by it."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.archive.row import keys_of
from core.archive.table import Table
from core.errors import UsageRefused
from core.model.verdict import Prediction
from core.paths import display

_COLUMNS = [
    *("path", "path_bytes", "size", "mtime_ns", "label", "confidence", "probabilities"),
    *("error", "model_version"),
]


class TableAnswers:
    """The answers of a table for the files below a folder. Safe to share between threads.

    They lie in a temporary file of SQLite's, so that millions take no memory.
    """

    def __init__(
        self, address: str, folder: Path, *, model_version: str, seen_at: Path | None = None
    ) -> None:
        """`folder` is a real path; `seen_at` is what it was called where the table was made.

        Raises UsageRefused for a table that tells of no file there, or by another model.
        """
        self._folder = os.fsencode(folder)
        self._seen_at = os.fsencode(folder if seen_at is None else seen_at)
        self._lock = threading.Lock()
        self._answers = sqlite3.connect("", check_same_thread=False)  # "": a file that goes with it
        self._answers.execute(
            "CREATE TABLE answers (path BLOB PRIMARY KEY, size INT, mtime_ns INT, error TEXT, "
            "label TEXT, confidence REAL, probabilities TEXT) WITHOUT ROWID"
        )
        table = Table(address)
        models: Counter[str] = Counter()
        for part in table.parts():
            rows = self._below(table, part, models)
            self._answers.executemany("INSERT OR REPLACE INTO answers VALUES (?,?,?,?,?,?,?)", rows)
        self._check(address, models, model_version)
        self._model_version = model_version

    def _below(self, table: Table, part: str, models: Counter[str]) -> Iterator[tuple[object, ...]]:
        beginning = self._seen_at.rstrip(b"/") + b"/"
        columns = table.read(part, _COLUMNS)
        values = columns.drop_columns(["path", "path_bytes"]).to_pylist()
        for key, row in zip(keys_of(columns), values, strict=True):
            if key.startswith(beginning):
                models[row["model_version"]] += 1
                probabilities = json.dumps(dict(row["probabilities"] or ()))
                seen = (row["error"], row["label"], row["confidence"], probabilities)
                yield (key, row["size"], row["mtime_ns"], *seen)

    def _check(self, address: str, models: Counter[str], model_version: str) -> None:
        if not models:
            raise UsageRefused(
                f"{address} tells of no photo in {display(Path(os.fsdecode(self._seen_at)))}. If "
                "the folder had another path where the table was made, say it with --seen-at."
            )
        others = [model for model in models if model != model_version]
        if others:
            raise UsageRefused(
                f"{address} was made by the model {others[0]}, and {model_version} serves. Say "
                f"--model {others[0]}, or have the table made anew with `catdog archive --renew`."
            )

    def of(self, path: Path, size: int, mtime_ns: int) -> Prediction | str | None:
        """Return what the table says of a file, a prediction or the code of its error.

        None stands for nothing, or for a file that is not the one that was looked at.
        """
        key = self._seen_at + os.fsencode(path).removeprefix(self._folder)
        with self._lock:
            found = self._answers.execute("SELECT * FROM answers WHERE path = ?", (key,)).fetchone()
        if found is None:
            return None
        _, then_size, then_mtime_ns, error, label, confidence, probabilities = found
        if (then_size, then_mtime_ns) != (size, mtime_ns):
            return None
        if error is not None:
            return str(error)
        return Prediction(label, confidence, json.loads(probabilities), self._model_version)
