"""Another sitting: the recipe once more, from the weights of a model that it made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from catdog import main
from core.errors import UsageRefused
from core.manifest import read_manifest
from core.promotion import promote
from core.training.fine_tune import recipe_for
from core.training.recipe import LARGER, MILD, RESTART, Recipe, Stage
from core.training.restart import sittings_before
from core.training.run import train


def test_the_recipe_is_for_the_models_network_and_image_size(tiny_model: Path) -> None:
    manifest = read_manifest(tiny_model)
    recipe = recipe_for(manifest, RESTART)
    assert (recipe.widths, recipe.blocks, recipe.size) == ((8, 16, 32), (1, 1, 1), 32)
    assert (recipe.name, recipe.learning_rate) == ("restart", RESTART.learning_rate)


def test_sittings_add_up(tiny_model: Path) -> None:
    first = read_manifest(tiny_model)
    known = {"epochs_done": 32, "seconds": 5000}
    first = replace(first, version="one", recipe={**first.recipe, **known})
    before = sittings_before(first)
    assert before == {"version": "one", "epochs_done": 32, "seconds": 5000}
    known = {"epochs_done": 27, "seconds": 6000, "before": before}
    second = replace(first, version="two", recipe={**first.recipe, **known})
    assert sittings_before(second) == {"version": "two", "epochs_done": 59, "seconds": 11000}


def test_at_an_image_size_of_its_own_a_sitting_is_shorter(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    promote(tmp_path / "models", "tiny")
    asked: list[Recipe] = []
    monkeypatch.setattr(
        "core.training.check.check", lambda data, recipe, **others: asked.append(recipe)
    )
    for more in ([], ["--image-size", "48"]):
        told = ["train", str(tmp_path), "--check", "--from", "restart", *more]
        result = CliRunner().invoke(main, ["--models-dir", str(tmp_path / "models"), *told])
        assert result.exit_code == 0, result.output
    again, larger = asked
    assert (again.name, again.size, again.epochs) == ("restart", 32, RESTART.epochs)
    assert (larger.name, larger.size, larger.epochs) == ("larger", 48, LARGER.epochs)
    assert larger.widths == again.widths == (8, 16, 32)
    assert larger.learning_rate < again.learning_rate


@pytest.mark.long
def test_all_of_the_network_goes_on_from_its_weights(
    tiny_model: Path, tmp_path: Path, told: Any, fill_folder: Callable[..., Path]
) -> None:
    """With no rate to speak of it stays what it was; and its card tells of both sittings."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60}, 600)
    recipe = replace(
        recipe_for(read_manifest(tiny_model), RESTART),
        stages=(Stage(24, 1, MILD), Stage(32, 1, MILD)),
        batch_size=16,
        learning_rate=1e-7,
    )
    trained = train(data, recipe, models_dir=tmp_path / "m", console=told, current=tiny_model,
                    again=True)  # fmt: skip
    before = keras.models.load_model(tiny_model / "model.keras")
    after = keras.models.load_model(trained.folder / "model.keras")
    for old, new in zip(before.weights, after.weights, strict=True):
        if "moving" not in old.path:
            np.testing.assert_allclose(old, new, atol=1e-4)
    assert any(
        not np.allclose(old, new)
        for old, new in zip(before.weights, after.weights, strict=True)
        if "moving" in old.path
    ), "batch normalization learns, too"
    card = (trained.folder / "MODEL_CARD.md").read_text()
    assert f"from the weights of {read_manifest(tiny_model).version}" in card

    (data / "dogs").rename(data / "hamsters")
    with pytest.raises(UsageRefused, match="other classes"):
        train(data, recipe, models_dir=tmp_path / "m", console=told, current=tiny_model, again=True)
