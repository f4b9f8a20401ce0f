"""Parts appear whole, one command writes at a time, other folders are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.classify import Looking
from core.archive.table import Table, TableBusy, part_name
from core.errors import UsageRefused


def test_a_parts_name_follows_from_its_photos_whatever_their_order() -> None:
    assert part_name([b"a", b"bc"]) == part_name([b"bc", b"a"])
    assert part_name([b"a", b"bc"]) != part_name([b"ab", b"c"])


def test_what_a_kill_left_unfinished_is_no_part_and_is_cleared(
    photos: Callable[..., Path], over: Any, looking: Looking, tmp_path: Path
) -> None:
    over([photos(3)], tmp_path / "table", looking)
    (left,) = (tmp_path / "table").glob("*.parquet")
    unfinished = left.with_name(f".{left.name}.unfinished")
    unfinished.write_bytes(b"PAR1")
    table = Table(str(tmp_path / "table"))
    assert table.parts() == [left.name]
    with table.locked(tmp_path):
        assert not unfinished.exists()


def test_a_failed_write_leaves_the_part_as_it_was(
    photos: Callable[..., Path],
    over: Any,
    looking: Looking,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over([photos(3)], tmp_path / "table", looking)
    table = Table(str(tmp_path / "table"))
    (name,) = table.parts()
    before = table.read(name)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.archive.table.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        table.publish(before.slice(0, 1), name=name)
    assert table.read(name).equals(before)


def test_one_command_writes_a_table_at_a_time(tmp_path: Path) -> None:
    with (
        Table(str(tmp_path / "t")).locked(tmp_path),
        pytest.raises(TableBusy, match="Another catdog writes"),
        Table(str(tmp_path / "t")).locked(tmp_path),
    ):
        raise AssertionError


def test_other_peoples_parquet_files_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "sales.parquet")
    with pytest.raises(UsageRefused, match="no part of a table that catdog writes"):
        Table(str(tmp_path)).check_columns(embeddings=False)


def test_a_table_keeps_the_columns_that_it_began_with(
    photos: Callable[..., Path], over: Any, looking: Looking, tmp_path: Path
) -> None:
    over([photos(3)], tmp_path / "table", looking)
    with pytest.raises(UsageRefused, match="has none, or write another"):
        Table(str(tmp_path / "table")).check_columns(embeddings=True)
    Table(str(tmp_path / "table")).check_columns(embeddings=False)


def test_other_programs_read_it_while_it_grows(
    photos: Callable[..., Path], over: Any, rows: Any, looking: Looking, tmp_path: Path
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = tmp_path / "table"
    for number in (7, 23):
        over([photos(number)], table, looking)
        (table / ".part-x.parquet.unfinished").write_bytes(b"half a part")
        paths = [row["path"] for row in rows(table)]
        query = f"select path from '{table}/*.parquet' order by path"
        assert [path for (path,) in duckdb.sql(query).fetchall()] == paths
        assert sorted(pandas.read_parquet(table)["path"]) == paths
