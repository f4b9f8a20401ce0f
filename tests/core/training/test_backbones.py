"""Networks of keras.applications: with no weights, with a file's, and without the internet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from catdog import main
from core.classifier import Classifier
from core.errors import UsageRefused
from core.manifest import read_manifest
from core.training.architectures import build, for_training
from core.training.architectures.backbones import load_backbone_weights
from core.training.recipe import RECIPES


@pytest.mark.parametrize("name", ["mobilenetv3", "efficientnetv2b0"])
def test_the_mean_of_the_map_is_the_logits(name: str) -> None:
    network = build(RECIPES[name], 3, size=64)
    photos = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    outputs = network.predict_on_batch(photos)
    assert outputs["logits"].shape == (2, 3)
    means = outputs["activation"].mean(axis=(1, 2))
    np.testing.assert_allclose(outputs["logits"], means, rtol=1e-3, atol=1e-4)
    assert for_training(network).output.shape == (None, 3)


def test_weights_are_taken_from_a_file(tmp_path: Path) -> None:
    trained = keras.applications.MobileNetV3Large(
        input_shape=(224, 224, 3), include_top=False, weights=None
    )
    trained.save_weights(tmp_path / "mine.weights.h5")
    network = build(RECIPES["mobilenetv3"], 3)
    load_backbone_weights(network, "mobilenetv3", str(tmp_path / "mine.weights.h5"))
    expected = trained.get_weights()
    for own, other in zip(network.get_weights(), expected, strict=False):
        np.testing.assert_array_equal(own, other)
    assert len(network.get_weights()) == len(expected) + 2, "and the head is its own"


def test_weights_that_are_not_there_or_not_its_own_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build(RECIPES["mobilenetv3"], 3)
    with pytest.raises(UsageRefused, match="There is no file"):
        load_backbone_weights(network, "mobilenetv3", str(tmp_path / "none.h5"))
    (tmp_path / "text.weights.h5").write_text("not weights")
    with pytest.raises(UsageRefused, match="does not hold the weights of mobilenetv3"):
        load_backbone_weights(network, "mobilenetv3", str(tmp_path / "text.weights.h5"))

    def no_network(*arguments: object, **options: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(UsageRefused, match="needs the internet, once"):
        load_backbone_weights(network, "mobilenetv3", "imagenet")


@pytest.mark.long
@pytest.mark.parametrize("weights", ["none", "FILE"])
def test_a_model_with_a_backbone_is_trained_and_served(
    weights: str, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})
    if weights == "FILE":
        trained = keras.applications.MobileNetV3Large(
            input_shape=(224, 224, 3), include_top=False, weights=None
        )
        weights = str(tmp_path / "mine.weights.h5")
        trained.save_weights(weights)
    model = tmp_path / "model"
    result = CliRunner().invoke(
        main,
        ["train", str(data), "--backbone", "mobilenetv3", "--backbone-weights", weights,
         "--image-size", "32", "--epochs", "2", "--output", str(model), "--no-promote"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    # with weights, the last layer learns alone first
    assert result.stdout.count("Epoch 1 of ") == (1 if weights == "none" else 2)
    assert Classifier(model).logits(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 1)
    recipe = read_manifest(model).recipe
    assert recipe["architecture"] == "mobilenetv3"
    assert recipe["backbone_weights"] == (None if weights == "none" else weights)
