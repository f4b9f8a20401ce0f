"""archive as a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.archive import archive_extra
from core.archive.table import Table

TINY_HEAD = Path(__file__).resolve().parents[2] / "models" / "tiny"
ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments), "--model", str(TINY_HEAD)])


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        draw("cats", number).save(folder / f"{number:02}.jpg")
    return folder


@pytest.fixture
def _pyarrow() -> None:
    pytest.importorskip("pyarrow", reason="the extra `archive` is not installed")


@pytest.mark.usefixtures("_pyarrow")
def test_it_says_what_it_did_and_goes_on(folder: Path, tmp_path: Path) -> None:
    first = run("archive", folder, "--to", tmp_path / "table")
    assert first.exit_code == 0, first.output
    assert f"{tmp_path / 'table'}: 12 photos classified, 0 were there before." in first.output
    (folder / "03.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("no photo")
    second = run("archive", folder, "--to", tmp_path / "table", "--json")
    assert second.exit_code == 1  # some failed
    shown = json.loads(second.stdout)
    assert shown["classified"] == shown["changed"] == 1
    assert (shown["done_before"], shown["errors"], shown["not_photos"]) == (11, {"empty": 1}, 1)


@pytest.mark.usefixtures("_pyarrow")
def test_a_table_that_is_written_ends_another_with_5(folder: Path, tmp_path: Path) -> None:
    with Table(str(tmp_path / "table")).locked(tmp_path):
        result = run("archive", folder, "--to", tmp_path / "table")
    assert result.exit_code == 5
    assert "Another catdog writes" in result.output


@pytest.mark.usefixtures("_pyarrow")
def test_what_is_not_there_ends_with_2(tmp_path: Path) -> None:
    result = run("archive", tmp_path / "none", "--to", tmp_path / "table")
    assert result.exit_code == 2
    assert "none is not there. Check the path." in result.output


@pytest.mark.parametrize(
    ("missing", "arguments", "install"),
    [("pyarrow", (), "[archive]"), ("ray", ("--ray", "local"), "[ray]")],
)
def test_without_an_extra_it_ends_with_4_and_says_what_to_install(
    missing: str,
    arguments: tuple[str, ...],
    install: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if missing != "pyarrow":
        pytest.importorskip("pyarrow", reason="the extra `archive` is not installed")

    def not_there(name: str) -> Any:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=missing)
        return import_module(name)

    monkeypatch.setattr(archive_extra, "import_module", not_there)
    result = run("archive", folder, "--to", tmp_path / "table", *arguments)
    assert result.exit_code == 4
    assert missing in result.output
    assert f"pip install '.{install}'" in result.output


@pytest.mark.usefixtures("_pyarrow")
def test_ctrl_c_leaves_a_whole_table_which_the_next_run_completes(
    folder: Path, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    for number in range(12, 400):
        draw("dogs", number).save(folder / f"{number:03}.jpg")
    command = [
        *(sys.executable, "-m", "catdog", "archive", str(folder)),
        *("--to", str(tmp_path / "table"), "--part-photos", "10", "--model", str(TINY_HEAD)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    table = Table(str(tmp_path / "table"))
    deadline = time.monotonic() + 60
    while len(table.parts()) < 3 and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130, words
    rows = [table.read(part).num_rows for part in table.parts()]
    assert set(rows) == {10}
    assert len(rows) < 40
    assert run("archive", folder, "--to", tmp_path / "table").exit_code == 0
    paths = [path for part in table.parts() for path in table.read(part)["path"].to_pylist()]
    assert sorted(paths) == sorted(map(str, folder.iterdir()))


@pytest.mark.usefixtures("_pyarrow")
def test_the_report_counts_and_writes_a_page(folder: Path, tmp_path: Path) -> None:
    (folder / "00.jpg").write_bytes(b"")
    table, page = tmp_path / "table", tmp_path / "page.html"
    run("archive", folder, "--to", table)
    runner = CliRunner()
    words = runner.invoke(main, ["archive-report", str(table), "--html", str(page)])
    assert words.exit_code == 0, words.output
    assert f"{table}: 12 photos" in words.output
    assert "empty" in words.output
    assert "<h1>12 photos in an archive</h1>" in page.read_text()
    shown = json.loads(runner.invoke(main, ["archive-report", str(table), "--json"]).stdout)
    assert sum(shown["verdicts"].values()) == shown["photos"] == 12
    assert shown["months"] == {"undated": shown["verdicts"]}
    none = runner.invoke(main, ["archive-report", str(tmp_path / "none")])
    assert none.exit_code == 2
