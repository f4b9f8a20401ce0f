"""The log of finished runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.training.recipe import MILD, Recipe, Stage
from core.training.run import train

RECIPE = Recipe(widths=(8, 16), blocks=(1, 1), stages=(Stage(16, 2, MILD),), batch_size=16)


@pytest.mark.long
def test_each_finished_run_appends_a_line_with_its_settings_curves_and_figures(
    tmp_path: Path, told: object, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 150, "dogs": 150})  # type: ignore[operator]
    log = tmp_path / "logs" / "runs.jsonl"
    for seed in (1, 2):
        train(data, replace(RECIPE, seed=seed), models_dir=tmp_path / "m", console=told, log=log)  # type: ignore[arg-type]
    runs = [json.loads(line) for line in log.read_text().splitlines()]
    assert [run["recipe"]["seed"] for run in runs] == [1, 2]
    for run in runs:
        assert [epoch["number"] for epoch in run["recipe"]["history"]] == [1, 2]
        assert run["recipe"]["seconds"] >= 0
        held_out = run["data"]["validation"]
        assert run["metrics"]["validation"]["photos"] == sum(held_out.values())
        assert {name: one["photos"] for name, one in run["sources"].items()} == {
            "cats": held_out["cat"],
            "dogs": held_out["dog"],
        }
