"""Looking into a network: what is shown is what it computes, for each kind of network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from core.errors import ModelRefused
from core.training.networks.architectures import LOGITS, build
from core.training.networks.architectures.efficientnet_lite import efficientnet_lite
from core.training.networks.inspected import Inspected, LayerKind
from core.training.networks.inspection import embeddings, inspect, open_network
from core.training.networks.recipe import LIGHT, RECIPES, Stage
from tests.core.explain.plain_numpy import forward

SIZE = 32

pytestmark = pytest.mark.keras


def photo(seed: int = 1, size: int = SIZE) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def network(name: str) -> keras.Model:
    """A network with weights that were moved by chance, batch normalization's too."""
    keras.utils.set_random_seed(3)
    recipe = replace(RECIPES[name], stages=(Stage(SIZE, 1, LIGHT),))
    made = build(recipe, 1, size=SIZE)
    random = np.random.default_rng(5)
    for layer in made.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            some = random.uniform(0.5, 1.5, (4, layer.gamma.shape[0]))
            layer.set_weights([some[0], some[1] - 1, some[2] - 1, some[3]])
    return made


def ways(inspected: Inspected) -> dict[str, list[str]]:
    return {layer.name: list(layer.inputs) for layer in inspected.layers}


@pytest.mark.parametrize("name", ["minimal", "sequential-bn", "vgg-small", "residual"])
def test_each_layer_gives_what_numpy_computes_from_its_weights(name: str) -> None:
    made, image = network(name), photo()
    inspected = inspect(made, image)
    expected = forward(made, image, ways(inspected))
    for layer in inspected.layers:
        most = max(1.0, float(np.abs(expected[layer.name]).max()))
        np.testing.assert_allclose(
            layer.output, expected[layer.name], atol=1e-4 * most, err_msg=layer.name
        )
    served = keras.ops.convert_to_numpy(made(image[None])[LOGITS])[0]
    np.testing.assert_allclose(inspected.last.output, served, atol=1e-5)
    assert inspected.layers[0].kind is LayerKind.INPUT
    assert LayerKind.OTHER not in {layer.kind for layer in inspected.layers}


def test_a_network_that_ends_in_a_feature_map_is_shown_up_to_it() -> None:
    made = efficientnet_lite("efficientnet-lite0", 64)
    inspected = inspect(made, photo(size=64))
    assert inspected.last.output.shape == (2, 2, 1280)
    assert inspected.last.activation == "relu6"
    assert {LayerKind.DEPTHWISE, LayerKind.ADD} <= {layer.kind for layer in inspected.layers}


def test_a_network_inside_another_is_looked_into_as_well() -> None:
    """As those of a person's own file are wrapped."""
    inner = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(4, 3, activation="relu", name="eyes"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="verdict"),
        ],
        name="inner",
    )
    image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    outer = keras.Model(
        image, {LOGITS: inner(keras.layers.Rescaling(1 / 255, name="small")(image))}
    )
    pixels = photo()
    inspected = inspect(outer, pixels)
    assert [layer.kind for layer in inspected.layers] == [
        LayerKind.INPUT,
        LayerKind.RESCALING,
        LayerKind.CONVOLUTION,
        LayerKind.FLATTEN,
        LayerKind.DENSE,
    ]
    assert inspected.layers[2].inputs == ("small",)
    assert inspected.before(inspected.last).kind is LayerKind.FLATTEN
    np.testing.assert_allclose(
        inspected.last.output, keras.ops.convert_to_numpy(outer(pixels[None])[LOGITS])[0], atol=1e-5
    )


def test_embeddings_are_what_the_last_layer_reads() -> None:
    made = network("sequential-bn")
    photos = np.stack([photo(seed) for seed in range(3)])
    found = embeddings(made, photos)
    for row, image in zip(found, photos, strict=True):
        last = inspect(made, image).layers[-2]  # dropout, which changes nothing
        np.testing.assert_allclose(row, last.output, atol=1e-5)


def test_what_is_no_network_is_refused_with_a_reason(tmp_path: Path) -> None:
    damaged = tmp_path / "model.keras"
    damaged.write_bytes(b"no zip")
    with pytest.raises(ModelRefused, match=r"model\.keras cannot be opened by Keras"):
        open_network(damaged)
