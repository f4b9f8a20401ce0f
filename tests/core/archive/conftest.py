"""What the tests of archives share: a tiny model, drawn photos, tables read as rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive_run import Outcome, archive, map_here
from core.archive.classify import Looking
from core.archive.known import Again
from core.archive.sources.source_listing import Columns, Passed, list_sources
from core.archive.table import Table
from core.model.classifier import Classifier

TINY_HEAD = Path(__file__).resolve().parents[2] / "models" / "tiny"
KINDS = ("cats", "dogs", "other")


@pytest.fixture(autouse=True)
def _extra() -> None:
    pytest.importorskip("pyarrow", reason="the extra `archive` is not installed")
    pytest.importorskip("s3fs", reason="the extra `archive` is not installed")


@pytest.fixture(scope="session")
def looking() -> Looking:
    return Looking(Classifier(TINY_HEAD))


@pytest.fixture
def photos(tmp_path: Path, draw: Callable[..., Any]) -> Callable[..., Path]:
    """Draw so many photos into a folder."""

    def make(number: int, name: str = "photos", first: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for seed in range(first, first + number):
            draw(KINDS[seed % 3], seed).save(folder / f"{seed:05}.jpg")
        return folder

    return make


class Silent:
    """Is called as a run goes on, and remembers the last of it."""

    def __init__(self) -> None:
        self.last: tuple[int, int, int, bool] = (0, 0, 0, False)

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        self.last = done, errors, to_do, is_all


def run_over(
    sources: Iterable[object],
    table: Path | str,
    looking: Looking,
    *,
    again: Again = Again(),  # noqa: B008
    part: int = 10,
    columns: Columns = Columns(),  # noqa: B008
) -> Outcome:
    """Run over sources on this machine, as the command does."""
    to = Table(str(table))
    listed = list_sources(map(str, sources), columns, Passed())
    with tempfile.TemporaryDirectory() as state_dir, to.locked(Path(state_dir)):
        return archive(listed, to, map_here(looking), Silent(), again=again, photos_in_a_part=part)


def rows_of(table: Path | str, *, without: Iterable[str] = ("seconds",)) -> list[dict[str, Any]]:
    """Read a table as any other program would, sorted by path."""
    import pyarrow as pa

    to = Table(str(table))
    parts = [to.read(part) for part in to.parts()]
    if not parts:
        return []
    rows: list[dict[str, Any]] = pa.concat_tables(parts).drop_columns(list(without)).to_pylist()
    return sorted(rows, key=lambda row: str(row["path"]))


@pytest.fixture
def over() -> Callable[..., Outcome]:
    return run_over


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    return rows_of
