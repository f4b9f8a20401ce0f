"""The table of what pays is the one that the log gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def report(load_script: Any) -> Any:
    return load_script("ablation_report")


def run_of(name: str, stages: list[tuple[int, int]], accuracy: float) -> dict[str, Any]:
    epochs = [size for size, number in stages for _ in range(number)]
    return {
        "created": f"2026-01-01T00:00:00+00:00{name}",
        "version": name,
        "recipe": {
            "name": name,
            "seconds": 60 * len(epochs),
            "stages": [{"size": size, "epochs": number} for size, number in stages],
            "history": [
                {
                    "number": number, "size": size, "loss": 1 / number, "accuracy": 0.5,
                    "validation_loss": 1 / number, "validation_accuracy": 0.5, "seconds": 60.0,
                }
                for number, size in enumerate(epochs, start=1)
            ],
        },
        "metrics": {"validation": {"accuracy": accuracy, "told_apart": 0.9}},
    }  # fmt: skip


def test_a_page_gets_the_table_and_the_curves_of_the_longest_run(
    report: Any, tmp_path: Path
) -> None:
    log, page, picture = (tmp_path / name for name in ("runs.jsonl", "page.md", "curves.svg"))
    runs = [run_of("long", [(64, 2), (96, 1)], 0.95), run_of("short", [(64, 1)], 0.805)]
    runs[0]["metrics"]["left out"] = {"accuracy": 0.85, "told_apart": 0.88}
    ways = [way for names in report._VARIED.values() for way in names]
    runs[0]["variations"] = {
        way: {"told_apart": 0.5 + number / 100} for number, way in enumerate(ways)
    }
    runs[0]["pairs"] = {"unsure": 0.75}
    log.write_text("\n".join(map(json.dumps, runs)) + "\n")
    marks = [
        report.BEGIN.format("ablations"), "old", report.END.format("ablations"), "between",
        report.BEGIN.format("variations"), report.END.format("variations"),
    ]  # fmt: skip
    page.write_text("\n".join(["before", *marks, "after"]) + "\n")
    arguments = [str(log), str(page), str(picture)]
    assert report.main([*arguments, "--check"]) == 1
    assert report.main(arguments) == 0
    assert report.main([*arguments, "--check"]) == 0
    lines = page.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[4] == "| short | 64 px x 1 | 1 | 80.5% | 90.0% | - | - |"
    assert lines[5] == "| long | 64 px x 2, 96 px x 1 | 3 | 95.0% | 90.0% | 85.0% | 88.0% |"
    assert lines[7] == "between"
    assert [line for line in lines[8:] if "px" in line] == [
        "| long | 64 px x 2, 96 px x 1 | 88.0% | 51.0% | 53.0% | 54.0% | 55.5% | 75.0% |"
    ]
    assert lines[-1] == "after"
    assert "96 px" in picture.read_text()


def test_sittings_are_drawn_one_after_the_other(report: Any) -> None:
    """By how long they took: a model that is exported again has another version."""
    first, other = run_of("one", [(64, 2)], 0.9), run_of("other", [(64, 3)], 0.9)
    second = run_of("two", [(96, 2)], 0.95)
    second["recipe"]["before"] = {"version": "one again", "epochs_done": 2, "seconds": 120}
    epochs = report._longest([first, other, second])
    assert [(epoch.number, epoch.size) for epoch in epochs] == [(1, 64), (2, 64), (3, 96), (4, 96)]


def test_the_page_of_the_model_has_the_table_of_its_log(report: Any, tmp_path: Path) -> None:
    arguments = [str(DOCS / "ablations.jsonl"), str(DOCS / "model.md"), str(tmp_path / "c.svg")]
    assert report.main([*arguments, "--check"]) == 0, "run benchmarks/ablation_report.py again"
