"""A row of the table, and its columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.archive.archive_extra import load

EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Row:
    """What was seen in one photo, or why nothing was."""

    path: str
    path_bytes: bytes | None  # where `path` had to be percent-encoded
    etag: str | None
    size: int | None
    mtime_ns: int | None
    seconds: float  # that one core took
    model_version: str
    verdict: str | None = None  # filed, both, neither, unsure
    label: str | None = None
    confidence: float | None = None
    probabilities: dict[str, float] | None = None
    embedding: Sequence[float] | None = None
    width: int | None = None  # pixels, upright
    height: int | None = None
    taken: datetime | None = None
    error: str | None = None  # a code, as in docs/commands.md


def schema(*, embeddings: bool) -> Any:
    """Return the table's columns, a `pyarrow.Schema`."""
    pa = load("pyarrow")
    columns = [
        ("path", pa.string()),
        ("path_bytes", pa.binary()),
        ("etag", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("verdict", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float64()),
        ("probabilities", pa.map_(pa.string(), pa.float64())),
        (EMBEDDING, pa.list_(pa.float32())),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("taken", pa.timestamp("ms")),
        ("error", pa.string()),
        ("model_version", pa.string()),
        ("seconds", pa.float64()),
    ]
    return pa.schema([one for one in columns if embeddings or one[0] != EMBEDDING])


def as_table(rows: Iterable[Row], *, embeddings: bool) -> Any:
    """Put rows into a `pyarrow.Table`."""
    pa = load("pyarrow")
    listed = list(rows)
    columns = schema(embeddings=embeddings)
    values = {name: [getattr(row, name) for row in listed] for name in columns.names}
    values["probabilities"] = [
        None if one is None else list(one.items()) for one in values["probabilities"]
    ]
    return pa.table(values, schema=columns)


def keys_of(table: Any) -> list[bytes]:
    """Return the keys of a table's rows."""
    return [
        path.encode() if raw is None else raw
        for path, raw in zip(
            table["path"].to_pylist(), table["path_bytes"].to_pylist(), strict=True
        )
    ]


def packed(table: Any) -> bytes:
    """Put a table into bytes, as Arrow sends them."""
    pa = load("pyarrow")
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    return file.getvalue()


def unpacked(content: bytes) -> Any:
    """Return the table that was packed."""
    return load("pyarrow").ipc.open_stream(content).read_all()
