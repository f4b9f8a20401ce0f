"""What is served is the network that was trained, or it is not served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from benchmarks.varied import varied
from core.classifier import Classifier
from core.errors import CatdogError
from core.image import open_image
from core.manifest import KERAS, LITERT
from core.preprocessing import Pixels, preprocess
from core.training import package, parity
from core.training.export import to_litert
from core.training.parity import measure_parity
from core.training.quantize import quantize
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


def test_weights_in_16_bits_say_the_same(tiny_model: Path, photos: Pixels, tmp_path: Path) -> None:
    network = keras.models.load_model(tiny_model / KERAS)
    served = tmp_path / LITERT
    to_litert(network, served, half=True)
    assert served.stat().st_size < (tiny_model / KERAS).stat().st_size
    half = varied(tiny_model, served.read_bytes())
    found = measure_parity(half, network, photos, np.repeat([0, 1, 2], 10), bits=16)
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
    found = measure_parity(classifier, network, photos, np.repeat([0, 1, 2], 10), bits=16)
    assert not found.holds
    assert found.same_decision < 0.5
    assert not replace(found, same_decision=1.0).holds
    assert not replace(found, same_decision=1.0, largest_gap=float("nan")).holds


def test_eight_bits_may_change_probabilities_a_little_and_logits_more(
    tiny_model: Path, classifier: Classifier, photos: Pixels
) -> None:
    network = keras.models.load_model(tiny_model / KERAS)
    found = measure_parity(classifier, network, photos, np.repeat([0, 1, 2], 10), bits=8)
    assert found.holds
    assert 0 < found.probability_gap < found.largest_gap
    assert replace(found, largest_gap=0.1, probability_gap=2e-2).holds
    assert not replace(found, probability_gap=2.1e-2).holds
    assert not replace(found, probability_gap=float("nan")).holds
    assert not replace(found, bits=16, largest_gap=0.1).holds


@pytest.mark.long
@pytest.mark.parametrize("bits", [8, 16, 32, None])
def test_the_fewest_bits_are_served_that_change_next_to_nothing_and_otherwise_nothing(
    bits: int | None,
    tmp_path: Path,
    told: Any,
    fill_folder: Callable[..., Path],
    tiny_recipe: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(package, "quantize", partial(quantize, fewest_weights=2_000))
    if bits != 8:
        monkeypatch.setattr(parity, "_PROBABILITY_GAP", -1.0)
    whole = -1.0 if bits is None else 1e-3
    monkeypatch.setattr(parity, "_LARGEST_GAP", {16: 2e-2 if bits == 16 else -1.0, 32: whole})
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30})
    recipe = tiny_recipe()
    if bits is None:
        with pytest.raises(CatdogError, match="differ from Keras's"):
            train(data, recipe, models_dir=tmp_path / "models", console=told)
        return
    trained = train(data, recipe, models_dir=tmp_path / "models", console=told)
    stated = trained.manifest.weights
    assert stated["bits"] == bits
    assert stated["same_decision"] >= 0.995
    assert stated["photos"] == 60  # those held out, and others, for those alone are few
    served = Interpreter(model_path=str(trained.folder / LITERT))
    kinds = {tensor["dtype"] for tensor in served.get_tensor_details()}
    assert (np.int8 in kinds, np.float16 in kinds) == (bits == 8, bits < 32)
    card = (trained.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"in {bits} bits" in card
