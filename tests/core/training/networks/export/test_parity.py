"""What is served is the network that was trained, or it is not served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from core.errors import CatdogError
from core.images.decode import open_image
from core.model.classifier import Classifier
from core.model.manifest import KERAS, LITERT, read_manifest, record_file
from core.model.preprocessing import Pixels, preprocess
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.export import parity
from core.training.networks.export.litert import to_litert
from core.training.networks.export.parity import measure_parity
from core.training.networks.train_network import train_network

pytestmark = pytest.mark.keras


@pytest.fixture
def photos(tmp_path: Path, fill_folder: Callable[..., Path], classifier: Classifier) -> Pixels:
    folder = fill_folder(tmp_path / "photos", {"cats": 10, "dogs": 10, "other": 10}, 500)
    how = classifier.preprocessing
    paths = sorted(folder.rglob("*.jpg"))
    pixels: Pixels = np.stack(
        [preprocess(open_image(path, min_side=how.decoded_side), how) for path in paths]
    )
    return pixels


def test_weights_in_16_bits_say_the_same(tiny_model: Path, photos: Pixels, tmp_path: Path) -> None:
    network = keras.models.load_model(tiny_model / KERAS)
    served = tmp_path / LITERT
    to_litert(network, served, half=True)
    assert served.stat().st_size < (tiny_model / KERAS).stat().st_size
    replace(read_manifest(tiny_model), files={LITERT: record_file(served)}).write(tmp_path)
    found = measure_parity(Classifier(tmp_path), network, photos, bits=16)
    assert found.holds
    assert 0 < found.largest_gap <= 2e-2
    assert found.same_decision == 1


def test_another_networks_answers_are_noticed(
    tiny_model: Path, classifier: Classifier, photos: Pixels
) -> None:
    network = keras.models.load_model(tiny_model / KERAS)
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)][-1]
    kernel, bias = dense.get_weights()
    dense.set_weights([np.roll(kernel, 1, axis=1), np.roll(bias, 1)])
    found = measure_parity(classifier, network, photos, bits=16)
    assert not found.holds
    assert found.same_decision < 0.5
    assert not replace(found, same_decision=1.0).holds
    assert not replace(found, same_decision=1.0, largest_gap=float("nan")).holds


@pytest.mark.long
@pytest.mark.parametrize("bits", [16, 32, None])
def test_16_bits_are_served_if_they_change_next_to_nothing_else_32_else_nothing(
    bits: int | None,
    tmp_path: Path,
    console: Any,
    fill_folder: Callable[..., Path],
    tiny_recipe: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = -1.0 if bits is None else 1e-3
    monkeypatch.setattr(parity, "_LARGEST_GAP", {16: 2e-2 if bits == 16 else -1.0, 32: whole})
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30})
    recipe, context = tiny_recipe(), TrainContext(tmp_path / "models", console)
    if bits is None:
        with pytest.raises(CatdogError, match="differ from Keras's"):
            train_network(TrainOptions(data), recipe, context)
        return
    trained = train_network(TrainOptions(data), recipe, context)
    served = Interpreter(model_path=str(trained.folder / LITERT))
    kinds = {tensor["dtype"] for tensor in served.get_tensor_details()}
    assert (np.float16 in kinds) == (bits == 16)
