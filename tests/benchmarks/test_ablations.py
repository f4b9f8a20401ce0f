"""The script that compares variants of the recipe: it names them, trains them and logs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.training.recipe import DEFAULT


@pytest.fixture(scope="module")
def ablations(load_script: Any) -> Any:
    return load_script("ablations")


def test_a_variant_is_a_name_or_settings(ablations: Any) -> None:
    stages = ablations.stages_of("64x4,96x2")
    assert [(stage.size, stage.epochs) for stage in stages] == [(64, 4), (96, 2)]
    for name in ablations.VARIANTS:
        assert ablations.recipe_of(name, stages).name == name
    recipe = ablations.recipe_of("widths=(8, 16),label_smoothing=0.1,seed=3,turned=0.5", stages)
    assert (recipe.widths, recipe.label_smoothing, recipe.seed) == ((8, 16), 0.1, 3)
    assert {stage.augmentation.turned for stage in recipe.stages} == {0.5}
    assert recipe.weight_decay == DEFAULT.weight_decay
    for wrong in ("nothing", "8", "no_such_setting=1"):
        with pytest.raises((ValueError, TypeError)):
            ablations.recipe_of(wrong, stages)


@pytest.mark.long
def test_each_variant_leaves_a_line_and_no_model(
    ablations: Any, tmp_path: Path, fill_folder: object
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})  # type: ignore[operator]
    log = tmp_path / "runs.jsonl"
    tiny = "widths=(8, 16),blocks=(1, 1),batch_size=16"
    assert ablations.main([str(data), tiny, "--log", str(log), "--stages", "16x1"]) == 0
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["recipe"]["name"] == tiny
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "runs.jsonl"]
    for photo in list(data.rglob("*.jpg"))[::3]:
        photo.rename(photo.with_name(f"theirs-{photo.name}"))
    more = [str(data), tiny, "--log", str(log), "--stages", "16x1", "--leave-out", "theirs"]
    assert ablations.main(more) == 0
    before, last = log.read_text().splitlines()
    assert before == line
    run = json.loads(last)
    assert 0 <= run["variations"]["turned left"]["told_apart"] <= 1
    assert run["pairs"]["photos"] > 10
