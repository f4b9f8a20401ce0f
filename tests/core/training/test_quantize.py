"""Weights of 8 bits say what those of 16 said."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from core.manifest import LITERT
from core.training.export import to_litert
from core.training.fine_tune import read_network
from core.training.quantize import quantize, rounded_weights

FEWEST = 1_000  # weights: the tiny model has a few such kernels


@pytest.fixture(scope="module")
def half(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The tiny model with weights of 16 bits."""
    path = tmp_path_factory.mktemp("half") / LITERT
    to_litert(read_network(tiny_model), path, half=True)
    return path.read_bytes()


def random_photos(number: int, size: int) -> np.ndarray:
    """Smooth ones, as neighbouring pixels of photos are alike."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (number, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def logits_of(content: bytes, photos: np.ndarray) -> np.ndarray:
    runner = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    return np.concatenate([runner(image=photo[np.newaxis])["logits"] for photo in photos])


def types_of_weights(content: bytes) -> list[type]:
    interpreter = Interpreter(model_content=content)
    return [
        tensor["dtype"] for tensor in interpreter.get_tensor_details() if len(tensor["shape"]) == 4
    ]


def test_what_is_lost_with_one_weight_is_made_up_for_by_others() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(2_000, 6)) @ random.normal(size=(6, 48))  # much alike
    weights = random.normal(size=(10, 48))
    weights[3] = 0
    rounded, scales = rounded_weights(weights, inputs.T @ inputs / len(inputs))
    assert rounded.dtype == np.int8
    assert rounded.min() >= -127
    assert not rounded[3].any()
    step = np.abs(weights).max(axis=1) / 127
    kept = np.arange(10) != 3
    assert scales[kept] == pytest.approx(step[kept], rel=1e-5)
    assert np.abs(rounded * scales[:, np.newaxis] - weights).max() < 3 * step.max()
    nearest = np.rint(weights[kept] / step[kept, np.newaxis]) * step[kept, np.newaxis]
    of_nearest = inputs @ (nearest - weights[kept]).T
    of_these = inputs @ (rounded * scales[:, np.newaxis] - weights)[kept].T
    assert of_these.std() < of_nearest.std() / 2


def test_a_model_says_nearly_the_same_with_a_part_of_its_bytes(half: bytes) -> None:
    photos = random_photos(40, 32)
    smaller = quantize(half, photos, fewest_weights=FEWEST)
    assert smaller is not None
    assert len(smaller) < 0.8 * len(half)
    assert np.int8 not in types_of_weights(half)
    assert types_of_weights(smaller).count(np.int8) >= 3
    before = logits_of(half, photos)
    assert np.abs(logits_of(smaller, photos) - before).max() < 0.03 * np.abs(before).max()


def test_small_kernels_stay_as_they_are(half: bytes) -> None:
    assert quantize(half, random_photos(2, 32), fewest_weights=10_000) is None


def test_so_do_those_of_one_pixel(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 3), dtype="uint8", name="image")
    seen = keras.layers.Conv2D(24, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    seen = keras.layers.Conv2D(64, 3, activation="relu")(seen)
    seen = keras.layers.Conv2D(32, 1)(seen)
    network = keras.Model(image, {"logits": keras.layers.Flatten()(seen)})
    to_litert(network, tmp_path / "half.tflite", half=True)
    content = (tmp_path / "half.tflite").read_bytes()
    smaller = quantize(content, random_photos(2, 32), fewest_weights=1_024)
    assert smaller is not None
    assert types_of_weights(smaller).count(np.int8) == 1


@pytest.mark.parametrize(("padding", "stride"), [("same", 1), ("same", 2), ("valid", 2)])
def test_the_rounding_is_fitted_to_what_the_kernel_sees(
    padding: str, stride: int, tmp_path: Path
) -> None:
    """Wherever it moves: for inputs laid out otherwise it would be worse than the nearest."""
    keras.utils.set_random_seed(2)
    image = keras.Input((32, 32, 3), dtype="uint8", name="image")
    seen = keras.layers.Conv2D(24, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    seen = keras.layers.Conv2D(64, 3, stride, padding)(seen)
    network = keras.Model(image, {"logits": keras.layers.Flatten()(seen)})
    to_litert(network, tmp_path / "half.tflite", half=True)
    content = (tmp_path / "half.tflite").read_bytes()
    photos = random_photos(40, 32)
    expected = logits_of(content, photos)
    fitted = quantize(content, photos, fewest_weights=10_000)
    nearest = quantize(content, photos[:0], fewest_weights=10_000)
    assert fitted is not None
    assert nearest is not None
    gaps = [np.square(logits_of(model, photos) - expected).mean() for model in (fitted, nearest)]
    assert gaps[0] < 0.8 * gaps[1]
