"""The whole way a photo travels: train, evaluate, sort, files where they belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.recipe import MILD, Recipe, Stage
from core.training.networks.train_network import train_network

pytestmark = pytest.mark.keras


def test_a_network_trained_here_files_photos_it_never_saw(
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    draw: Callable[..., Any],
    console: Any,
    tiny_recipe: Callable[..., Recipe],
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    held_back = fill_folder(tmp_path / "test", {"cats": 12, "dogs": 12, "other": 12}, 5000)
    recipe = tiny_recipe(stages=(Stage(24, 4, MILD), Stage(32, 4, MILD)))
    context = TrainContext(tmp_path / "models", console)
    trained = train_network(TrainOptions(data, test=held_back), recipe, context)
    assert any(line.startswith("Epoch 8 of 8 at 32 px") for line in console.lines)

    settings = ["--models-dir", str(tmp_path / "models")]
    chosen = ["--model", trained.manifest.version, "--json"]
    result = CliRunner().invoke(main, [*settings, "evaluate", str(held_back), *chosen])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["model"] == trained.manifest.version
    assert figures["pet_accuracy"] >= 0.9
    assert figures["accuracy"] == trained.manifest.metrics["test"]["accuracy"]

    inbox = tmp_path / "inbox"
    inbox.mkdir()
    truth = {}
    for kind in ("cats", "dogs", "other"):
        for seed in range(9000, 9010):
            draw(kind, seed).save(inbox / f"{kind}-{seed}.jpg")
            truth[f"{kind}-{seed}.jpg"] = kind
    result = CliRunner().invoke(main, [*settings, "sort", str(inbox), *chosen])
    assert result.exit_code == 0, result.output
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert {Path(o["path"]).name for o in outcomes} == set(truth)
    placed = {path.name: path.parent.name for path in inbox.rglob("*.jpg")}
    assert set(placed) == set(truth)
    filed = {name: place for name, place in placed.items() if place != "inbox"}
    assert len(filed) >= 15
    assert all(truth[name] == place for name, place in filed.items())
