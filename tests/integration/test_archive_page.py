"""docs/archive.md, walked through by its own commands."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.archive.table import Table

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "archive.md"
TINY_HEAD = Path(__file__).resolve().parent.parent / "models" / "tiny"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def _rows(table: Path) -> list[dict[str, Any]]:
    read = Table(str(table))
    rows = [row for part in read.parts() for row in read.read(part).to_pylist()]
    return sorted(rows, key=lambda row: str(row["path"]))


def _run_all(block: str, said: dict[str, str]) -> None:
    for command in block.splitlines():
        program, *arguments = shlex.split(command, comments=True)
        assert program == "catdog"
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{command}: {result.output}"
        said[" ".join(arguments)] = result.stdout


@pytest.mark.long
def test_every_command_does_what_the_page_says(
    tmp_path: Path, draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn", reason="the extra `train` is not installed")
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("CATDOG_MODEL", str(TINY_HEAD))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "2024").mkdir(parents=True)
    for number in range(30):
        kind = ("cats", "dogs", "other")[number % 3]
        draw(kind, number).save(tmp_path / "photos" / "2024" / f"{number:03}.jpg")
    said: dict[str, str] = {}
    for language, block in re.findall(
        r"```(sh|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    ):
        if language == "python":
            exec(block, {})
        elif "--ray" in block:
            before = _rows(tmp_path / "table")
            shutil.rmtree("table")
            _run_all(block, said)
        else:
            _run_all(block, said)
    assert list(said) == [
        "archive photos --to table",
        "archive-report table --html report.html",
        "archive photos --to table --retry-errors",
        "archive photos --to table --renew",
        "sort photos --recursive --from table --dry-run",
        "train --with-table corrected.parquet:right --check",
        "archive photos --to table --ray local",
    ]
    assert "30 photos classified" in said["archive photos --to table --ray local"]
    assert "0 photos classified, 30 were there" in said["archive photos --to table --renew"]
    assert "report.html shows them" in said["archive-report table --html report.html"]
    dry_run = said["sort photos --recursive --from table --dry-run"]
    assert "would" in dry_run
    assert (
        "10 photos that corrected.parquet:right labels"
        in said["train --with-table corrected.parquet:right --check"]
    )
    for row in (*before, *(after := _rows(tmp_path / "table"))):
        del row["seconds"]
    assert before == after

    named = re.findall(r"^\| (`.*?)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    columns = {column for cell in named for column in re.findall(r"`(\w+)`", cell)}
    assert columns == {*before[0], "embedding", "seconds"}

    (query,) = _blocks("sql")
    counted = duckdb.sql(query).fetchall()
    filed = [row["label"] for row in before if row["verdict"] == "filed"]
    assert {label: number for label, number, _ in counted} == {
        label: filed.count(label) for label in set(filed)
    }
