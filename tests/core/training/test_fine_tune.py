"""A model that goes on learning keeps its classes and most of what it knows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from catdog import main
from core.classifier import Classifier
from core.errors import ModelRefused
from core.inference import predict_photo
from core.manifest import read_manifest
from core.promotion import promote
from core.training.fine_tune import recipe_for
from core.training.run import train


@pytest.fixture
def purple(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    """Cats of another colour, between those that the tiny model knows, and dogs as ever."""
    for kind in ("cats", "dogs"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for seed in range(60):
            pixels = np.asarray(draw(kind, 2000 + seed)).astype(int)
            if kind == "cats":
                pixels += (-70, 0, 90)
            pixels = np.clip(pixels, 0, 255).astype(np.uint8)
            path = tmp_path / "data" / kind / f"{kind}-{seed}.png"
            keras.utils.save_img(path, pixels, scale=False)
    return tmp_path / "data"


def share_right(model: Path, folder: Path) -> float:
    result = CliRunner().invoke(main, ["evaluate", str(folder), "--model", str(model), "--json"])
    assert result.exit_code == 0, result.output
    return float(json.loads(result.stdout)["accuracy"])


def odds_of_cat(model: Path, cats: Path) -> float:
    """How much likelier photos are cats than not, as a mean of logarithms."""
    classifier = Classifier(model)
    chances = [predict_photo(classifier, path).probabilities["cat"] for path in cats.iterdir()]
    return float(np.mean(np.log(chances) - np.log1p(-np.array(chances))))


def test_it_learns_the_new_photos_and_keeps_its_third_class(
    tiny_model: Path, purple: Path, tmp_path: Path, told: Any, fill_folder: Callable[..., Path]
) -> None:
    known = fill_folder(tmp_path / "known", {"cats": 12, "dogs": 12, "other": 12}, 800)
    before = share_right(tiny_model, known)
    manifest = read_manifest(tiny_model)
    trained = train(
        purple,
        recipe_for(manifest),
        models_dir=tmp_path / "models",
        console=told,
        current=tiny_model,
    )
    assert trained.manifest.labels == ("cat", "dog", "other")
    assert trained.manifest.preprocessing == manifest.preprocessing
    assert trained.manifest.recipe["name"] == "fine-tune"
    assert trained.manifest.threshold == manifest.threshold  # a dozen held out do not change it
    assert trained.manifest.data["training"]["other"] == 0
    numbers = [epoch["number"] for epoch in trained.manifest.recipe["history"]]
    assert numbers == list(range(1, len(numbers) + 1))
    cats = purple / "cats"
    learnt = odds_of_cat(trained.folder, cats) - odds_of_cat(tiny_model, cats)
    assert learnt > 0.1  # little: it keeps to what the model before said of them
    assert share_right(trained.folder, purple) >= share_right(tiny_model, purple)
    assert share_right(trained.folder, known) >= before - 0.06


@pytest.mark.long
def test_other_classes_get_a_new_last_layer(
    tiny_model: Path, tmp_path: Path, told: Any, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    (data / "dogs").rename(data / "wolves")
    recipe = recipe_for(read_manifest(tiny_model))
    trained = train(data, recipe, models_dir=tmp_path / "models", console=told, current=tiny_model)
    assert trained.manifest.labels == ("cat", "wolves")
    assert Classifier(trained.folder).logits(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 1)
    assert trained.manifest.metrics["validation"]["accuracy"] > 0.9


@pytest.mark.long
def test_the_command_goes_on_from_what_serves_and_refuses_what_was_altered(
    tiny_model: Path, tmp_path: Path, purple: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_model, models / "mine")
    promote(models, "mine")
    train_ = ["--models-dir", str(models), "train", str(purple), "--from", "current"]
    result = CliRunner().invoke(main, [*train_, "--epochs", "1"])
    assert result.exit_code == 0, result.output
    assert "Epoch 1 of 1 at 32 px" in result.output
    refused = CliRunner().invoke(main, [*train_, "--image-size", "64"])
    assert refused.exit_code == 2
    with (models / "mine" / "model.keras").open("ab") as file:
        file.write(b"x")
    altered = CliRunner().invoke(main, train_)
    assert altered.exit_code == ModelRefused.exit_code
    assert "model.keras is not the file" in altered.output
