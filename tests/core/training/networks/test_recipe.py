"""Recipes and the networks they train."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from core.model.classifier import Classifier
from core.model.preprocessing import preprocess
from core.training.networks.architectures import build, for_training, multiply_adds
from core.training.networks.export.litert import export
from core.training.networks.fitting.optimizer import make_optimizer
from core.training.networks.recipe import LEARNING_RATES, NONE, RECIPES, RESIDUAL

pytestmark = pytest.mark.keras


def test_fewer_epochs_shorten_every_stage_and_end_at_the_full_size() -> None:
    for epochs in range(1, 60):
        recipe = RESIDUAL.with_epochs(epochs)
        assert recipe.epochs == epochs
        assert recipe.size == RESIDUAL.size
    assert RESIDUAL.with_epochs(RESIDUAL.epochs) == RESIDUAL


def test_the_logits_are_the_mean_of_the_activation_map() -> None:
    """So a heat map shows what the decision was made of."""
    network = build(RESIDUAL, 3, size=64)
    photos = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    outputs = network(photos, training=False)
    activation = keras.ops.convert_to_numpy(outputs["activation"])
    logits = keras.ops.convert_to_numpy(outputs["logits"])
    assert activation.shape == (2, 4, 4, 3)
    assert activation.mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-4)


@pytest.mark.parametrize("name", ["sequential-bn", "vgg-small", "minimal"])
def test_the_networks_that_people_learn_with_are_served_too(name: str, tmp_path: Path) -> None:
    """Theirs is a sequence of layers that ends in logits, and they have no activation map."""
    recipe = RECIPES[name].with_image_size(32)
    network = build(recipe, 1)
    assert set(network.output) == {"logits"}
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds[-1] == "Dense"
    assert "Flatten" in kinds
    assert ("BatchNormalization" in kinds) == (name == "sequential-bn")
    export(network, recipe, tmp_path, half=False)
    photos = np.random.default_rng(0).integers(0, 255, (1, recipe.size, recipe.size, 3))
    photos = photos.astype(np.uint8)
    expected = keras.ops.convert_to_numpy(network(photos, training=False)["logits"])
    served = Interpreter(model_path=str(tmp_path / "model.tflite")).get_signature_runner()
    assert served(image=photos)["logits"] == pytest.approx(expected, abs=1e-3)


def test_multiply_adds_by_hand() -> None:
    network = build(RECIPES["minimal"], 3, size=64)
    assert multiply_adds(network) == 62 * 62 * 3 * 3 * 3 * 32 + 31 * 31 * 32 * 128 + 128 * 3


def test_recipes_change_as_asked() -> None:
    larger = RESIDUAL.with_image_size(288)
    assert [stage.size for stage in larger.stages] == [128, 192, 256, 288]
    plain = RESIDUAL.with_augmentation(NONE)
    assert {stage.augmentation for stage in plain.stages} == {NONE}
    assert plain.epochs == RESIDUAL.epochs


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_every_optimizer_learns_a_line(name: str) -> None:
    optimizer = make_optimizer(name, 0.05, 0.0)
    points = np.random.default_rng(0).normal(size=(256, 2)).astype(np.float32)
    line = np.array([[1.0], [-2.0]], np.float32)
    kernel = keras.Variable(np.zeros((2, 1), np.float32))
    for _ in range(150):
        error = points @ (keras.ops.convert_to_numpy(kernel) - line)
        optimizer.apply([2 * points.T @ error / len(points)], [kernel])
    assert keras.ops.convert_to_numpy(kernel) == pytest.approx(line, abs=0.1)
    with pytest.raises(ValueError, match="Received: lion"):
        make_optimizer("lion", 0.1, 0.0)


def test_training_and_serving_share_their_weights() -> None:
    network = build(RESIDUAL, 3)
    model = for_training(network)
    assert [w.shape for w in model.weights] == [w.shape for w in network.weights]
    assert model.count_params() < 3_000_000


def test_the_keras_file_loads_with_plain_keras_in_a_script_without_our_code(
    tiny_model: Path, classifier: Classifier, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    """And gives the logits that LiteRT gives."""
    photo = preprocess(draw("cats", 900), classifier.preprocessing)
    np.save(tmp_path / "photo.npy", photo)
    script = (
        "import sys, keras, numpy\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "photo = numpy.load('photo.npy')[None]\n"
        "outputs = model(photo, training=False)\n"
        "numpy.save('logits.npy', keras.ops.convert_to_numpy(outputs['logits']))\n"
        "assert not {'core', 'catdog'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tiny_model / "model.keras")], cwd=tmp_path, check=True
    )
    expected = classifier.logits(photo[None])
    assert np.load(tmp_path / "logits.npy") == pytest.approx(expected, abs=1e-3)
