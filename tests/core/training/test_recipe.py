"""Recipes and the networks they train."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from core.classifier import Classifier
from core.preprocessing import preprocess
from core.training.architectures import build, for_training
from core.training.recipe import DEFAULT


def test_fewer_epochs_shorten_every_stage_and_end_at_the_full_size() -> None:
    for epochs in range(1, 60):
        recipe = DEFAULT.with_epochs(epochs)
        assert recipe.epochs == epochs
        assert recipe.size == DEFAULT.size
    assert DEFAULT.with_epochs(DEFAULT.epochs) == DEFAULT
    with pytest.raises(ValueError, match="Received: 0"):
        DEFAULT.with_epochs(0)


def test_the_logits_are_the_mean_of_the_activation_map() -> None:
    """So a heat map shows what the decision was made of."""
    network = build(64, 3)
    photos = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    outputs = network(photos, training=False)
    activation = keras.ops.convert_to_numpy(outputs["activation"])
    logits = keras.ops.convert_to_numpy(outputs["logits"])
    assert activation.shape == (2, 4, 4, 3)
    assert activation.mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-4)


def test_training_and_serving_share_their_weights() -> None:
    network = build(None, 3)
    model = for_training(network)
    assert [w.shape for w in model.weights] == [w.shape for w in network.weights]
    assert model.count_params() < 3_000_000


def test_the_keras_file_loads_with_plain_keras_in_a_script_without_our_code(
    tiny_model: Path, classifier: Classifier, tmp_path: Path, draw: object
) -> None:
    """And gives the logits that LiteRT gives."""
    photo = preprocess(draw("cats", 900), classifier.manifest.preprocessing)  # type: ignore[operator]
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
