"""Counts of a table, and a few photos of each group."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from core.archive.report.summary import ERROR, SAMPLES, UNDATED, summarize
from core.archive.row import Row, as_table
from core.archive.table import Table


def _row(number: int, **seen: Any) -> Row:
    return Row(f"/photos/{number:04}.jpg", None, None, 5, 7, 0.01, "one", **seen)


def _table(folder: Path, *parts: list[Row]) -> Table:
    folder.mkdir()
    table = Table(str(folder))
    for rows in parts:
        table.publish(as_table(rows, embeddings=False))
    return table


def test_counts_go_by_verdict_model_error_and_month(tmp_path: Path) -> None:
    cats = [
        _row(
            n,
            verdict="filed",
            label="cat",
            confidence=0.99,
            probabilities={"dog": 0.0, "cat": 1.0},
            taken=datetime(2024, 5 if n % 2 else 6, 1),
        )
        for n in range(30)
    ]
    others = [
        _row(100, verdict="neither", label="other", confidence=0.9, probabilities={}),
        _row(101, verdict="unsure", label="dog", confidence=0.5, probabilities={}),
        _row(102, error="empty"),
    ]
    summary = summarize(_table(tmp_path / "table", cats, others))
    assert summary.photos == 33
    assert summary.groups == {"cat": 30, "neither": 1, "unsure": 1, ERROR: 1}
    assert summary.filed == {"cat"}
    assert (summary.models, summary.errors) == ({"one": 33}, {"empty": 1})
    assert summary.dated == ["2024-05", "2024-06"]
    assert summary.months["2024-05"] == {"cat": 15}
    assert sum(summary.months[UNDATED].values()) == 3
    assert len(summary.samples["cat"]) == SAMPLES
    assert summary.samples["cat"][0].probabilities[0] == ("cat", 1.0)
    assert [one.error for one in summary.samples[ERROR]] == ["empty"]


def test_samples_do_not_depend_on_how_the_table_came_about(tmp_path: Path) -> None:
    rows = [
        _row(n, verdict="filed", label="cat", confidence=n / 100, probabilities={})
        for n in range(100)
    ]
    one = summarize(_table(tmp_path / "one", rows)).samples["cat"]
    many = [rows[n : n + 10] for n in range(90, -1, -10)]
    assert summarize(_table(tmp_path / "many", *many)).samples["cat"] == one
