"""What is served is the network that was trained, or it is not served."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from core.classifier import Classifier
from core.errors import CatdogError
from core.image import open_image
from core.manifest import KERAS, LITERT, read_manifest
from core.preprocessing import Pixels, preprocess
from core.training import parity
from core.training.parity import measure_parity
from core.training.run import train


@pytest.fixture
def photos(tmp_path: Path, fill_folder: Callable[..., Path], classifier: Classifier) -> Pixels:
    folder = fill_folder(tmp_path / "photos", {"cats": 10, "dogs": 10, "other": 10}, 500)
    how = classifier.manifest.preprocessing
    paths = sorted(folder.rglob("*.jpg"))
    pixels: Pixels = np.stack(
        [preprocess(open_image(path, min_side=how.stored_size), how) for path in paths]
    )
    return pixels


def test_weights_in_16_bits_say_the_same(
    tiny_model: Path, classifier: Classifier, photos: Pixels
) -> None:
    assert read_manifest(tiny_model).weights["bits"] == 16
    assert (tiny_model / LITERT).stat().st_size < (tiny_model / KERAS).stat().st_size
    network = keras.models.load_model(tiny_model / KERAS)
    found = measure_parity(classifier, network, photos, np.repeat([0, 1, 2], 10), half=True)
    assert found.holds
    assert 0 < found.largest_gap <= 2e-2
    assert found.photos == 30
    assert found.accuracy == found.accuracy_before > 0.8


def test_another_networks_answers_are_noticed(
    tiny_model: Path, classifier: Classifier, photos: Pixels
) -> None:
    network = keras.models.load_model(tiny_model / KERAS)
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)][-1]
    kernel, bias = dense.get_weights()
    dense.set_weights([np.roll(kernel, 1, axis=1), np.roll(bias, 1)])
    found = measure_parity(classifier, network, photos, np.repeat([0, 1, 2], 10), half=True)
    assert not found.holds
    assert found.same_decision < 0.5
    assert not replace(found, same_decision=1.0).holds
    assert not replace(found, same_decision=1.0, largest_gap=float("nan")).holds


@pytest.mark.long
@pytest.mark.parametrize("whole", [1e-3, -1.0])
def test_where_16_bits_are_too_few_32_are_served_and_otherwise_nothing(
    whole: float,
    tiny_model: Path,
    tmp_path: Path,
    told: Any,
    fill_folder: Callable[..., Path],
    tiny_recipe: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parity, "_LARGEST_GAP", {16: -1.0, 32: whole})
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30})
    recipe = tiny_recipe()
    if whole < 0:
        with pytest.raises(CatdogError, match="differ from Keras's"):
            train(data, recipe, models_dir=tmp_path / "models", console=told)
        return
    trained = train(data, recipe, models_dir=tmp_path / "models", console=told)
    assert trained.manifest.weights["bits"] == 32
    assert trained.manifest.weights["largest_gap"] <= whole
    card = (trained.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "served in 32 bits" in card
    shutil.rmtree(trained.folder)
