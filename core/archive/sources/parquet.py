"""The photos of a Parquet file, by a column of paths or of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.archive.archive_extra import file_system, load
from core.archive.sources.content import opened_parquet
from core.archive.sources.source import ParquetRow, Source, is_remote, of_file
from core.archive.sources.stores import of_info
from core.errors import UsageRefused

_PATH_NAMES = ("path", "file", "file_name", "filename", "url", "uri", "image", "photo")
_ROWS_AT_ONCE = 1_000


def rows_of_parquet(
    name: str, photo: str | None, key: str | None
) -> Iterator[tuple[str, Iterable[Any]]]:
    """Return a Parquet file's photos in runs, each with its kind.

    `photo` and `key` are columns, as in `listing.Columns`. Yields `"bytes"` with sources, or
    `"paths"` with names. Raises UsageRefused for columns that are not there.
    """
    pa = load("pyarrow")
    try:
        with opened_parquet(name) as file:
            columns = file.schema_arrow
            column = _photo_column(name, columns, photo)
            if _holds_bytes(columns.field(column).type):
                if key is not None and key not in columns.names:
                    raise _no_column(name, key, columns)
                yield "bytes", _byte_rows(name, file, column, key)
            else:
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[column]):
                    yield "paths", [one for one in batch.column(0).to_pylist() if one]
    except FileNotFoundError as error:
        raise UsageRefused(f"{name} is not there. Check the path.") from error
    except pa.ArrowInvalid as error:
        raise UsageRefused(f"{name} is no Parquet file ({error}).") from error


def _byte_rows(name: str, file: Any, column: str, key: str | None) -> Iterator[Source]:
    """Return each row as a source that is what it was as long as its file is."""
    if is_remote(name):
        fs, path = file_system(name)
        whole = of_info(name, fs.info(path))
    else:
        whole = of_file(Path(name))
    number = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        keys: list[Any] = [None] * rows
        if key is not None:
            keys = file.read_row_group(group, columns=[key]).column(0).to_pylist()
        for index, own in enumerate(keys):
            known = whole.key + b"#%d" % number if own is None else _as_key(own)
            row = ParquetRow(column, group, index)
            yield Source(known, whole.address, whole.size, whole.mtime_ns, whole.etag, row)
            number += 1


def _as_key(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _photo_column(name: str, columns: Any, asked: str | None) -> str:
    """Find the column of photos: the one asked for, else the only one of bytes, else of paths."""
    if asked is not None:
        if asked not in columns.names:
            raise _no_column(name, asked, columns)
        return asked
    of_bytes = [one.name for one in columns if _holds_bytes(one.type) and one.name != "path_bytes"]
    if len(of_bytes) == 1:
        return str(of_bytes[0])
    for path_name in _PATH_NAMES:
        if path_name in columns.names and not of_bytes:
            return path_name
    raise UsageRefused(
        f"Which column of {name} holds the photos, or their paths? Say --column NAME; it has "
        f"{', '.join(columns.names)}."
    )


def _holds_bytes(kind: Any) -> bool:
    """Return whether a column is of bytes, by itself or, as Hugging Face's images, in a field."""
    types = load("pyarrow").types
    if types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _no_column(name: str, column: str, columns: Any) -> UsageRefused:
    return UsageRefused(f"{name} has no column {column!r}; it has {', '.join(columns.names)}.")
