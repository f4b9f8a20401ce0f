"""Parquet files of paths and of bytes as sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.classify import Looking
from core.archive.sources.source_listing import Columns
from core.errors import UsageRefused


def _write(file: Path, columns: dict[str, Any]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), file, row_group_size=10)
    return file


@pytest.fixture
def contents(photos: Callable[..., Path]) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(photos(33).iterdir())}


def test_paths_of_a_column_are_files(
    photos: Callable[..., Path], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    folder = photos(13)
    paths = sorted(map(str, folder.iterdir()))
    file = _write(tmp_path / "paths.parquet", {"id": list(range(13)), "path": paths})
    over([file], tmp_path / "by-paths", looking)
    over([folder], tmp_path / "by-folder", looking)
    assert rows(tmp_path / "by-paths") == rows(tmp_path / "by-folder")


@pytest.mark.parametrize("nested", [False, True])
def test_bytes_of_a_column_are_photos_named_by_their_key(
    nested: bool,
    contents: dict[str, bytes],
    photos: Callable[..., Path],
    over: Any,
    rows: Any,
    looking: Looking,
    tmp_path: Path,
) -> None:
    values = [{"bytes": one, "path": ""} if nested else one for one in contents.values()]
    file = _write(tmp_path / "photos.parquet", {"name": list(contents), "image": values})
    table = tmp_path / "table"
    assert over([file], table, looking, columns=Columns(key="name")).done == 33
    over([photos(33)], tmp_path / "files", looking)
    found, files = rows(table), rows(tmp_path / "files")
    assert [row["path"] for row in found] == list(contents)
    for name in ("label", "confidence", "probabilities", "width"):
        assert [row[name] for row in found] == [row[name] for row in files]
    assert over([file], table, looking, columns=Columns(key="name")).tally.done_before == 33


def test_bytes_without_a_key_are_named_by_their_row(
    contents: dict[str, bytes], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    values = list(contents.values())
    values[7] = b"no picture"
    file = _write(tmp_path / "photos.parquet", {"image": values})
    over([file], tmp_path / "table", looking)
    found = {row["path"]: row["error"] for row in rows(tmp_path / "table")}
    assert found == {f"{file}#{n}": "not-an-image" if n == 7 else None for n in range(33)}


def test_a_column_that_is_not_there_is_refused(tmp_path: Path, over: Any, looking: Looking) -> None:
    file = _write(tmp_path / "numbers.parquet", {"a": [1], "b": [b"x"], "c": [b"y"]})
    for columns, words in (
        (Columns(), "Which column .* Say --column"),
        (Columns(photo="d"), "has no column 'd'"),
        (Columns(photo="b", key="e"), "has no column 'e'"),
    ):
        with pytest.raises(UsageRefused, match=words):
            over([file], tmp_path / "table", looking, columns=columns)
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(UsageRefused, match="is no Parquet file"):
        over([tmp_path / "text.parquet"], tmp_path / "table", looking)
