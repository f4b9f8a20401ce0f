"""The networks that are trained from scratch, of Keras's standard layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from core.model.preprocessing import Pixels
from core.training.networks.architectures.classic import minimal, sequential_bn, vgg_small
from core.training.networks.architectures.outputs import ACTIVATION, LOGITS
from core.training.networks.architectures.own import own_layers, own_network
from core.training.networks.architectures.residual import residual
from core.training.networks.recipe import Recipe

_CHUNK = 64  # photos that go through a network at once

__all__ = [
    "ACTIVATION",
    "ARCHITECTURES",
    "LOGITS",
    "build",
    "for_training",
    "load",
    "logits_of",
    "multiply_adds",
]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A kind of network."""

    summary: str
    build: Callable[[int | None, int, Recipe], keras.Model]


def _classic(
    make: Callable[[int, int, Recipe], keras.Sequential],
) -> Callable[[int | None, int, Recipe], keras.Model]:
    def build(size: int | None, outputs: int, recipe: Recipe) -> keras.Model:
        layers = make(size or recipe.size, outputs, recipe)
        return keras.Model(layers.inputs[0], {LOGITS: layers.outputs[0]}, name=layers.name)

    return build


ARCHITECTURES = {
    "residual": Architecture(
        "residual blocks with squeeze-and-excitation, global average pooling, dense",
        lambda size, outputs, recipe: residual(size, outputs, recipe.widths, recipe.blocks),
    ),
    "sequential-bn": Architecture(
        "4 x (convolution, batch normalization, max pooling), flatten, dense with dropout",
        _classic(sequential_bn),
    ),
    "vgg-small": Architecture(
        "3 x (convolution, max pooling), flatten, dense", _classic(vgg_small)
    ),
    "minimal": Architecture("convolution, max pooling, flatten, dense", _classic(minimal)),
}


def build(recipe: Recipe, outputs: int, *, size: int | None = None) -> keras.Model:
    """Build the recipe's network.

    `size` is the image's side in pixels; None for any, where the architecture takes any, and the
    size that the recipe ends with where it does not. `outputs` is the number of classes, or 1 for
    two classes told apart by one sigmoid.

    Returns: a model from `image` (uint8 RGB, 0-255, shape `(n, size, size, 3)`) to a dict:
    `logits`, shape `(n, outputs)`, and for networks that end in global average pooling
    `activation`, shape `(n, h, w, outputs)`: the dense layer applied at each place before
    pooling. Its mean over the places is `logits`.
    """
    if recipe.is_own:
        return own_network(recipe.network, size or recipe.size, outputs, dict(recipe.arguments))
    return ARCHITECTURES[recipe.network].build(size, outputs, recipe)


def load(path: Path, recipe: Recipe, *, compile: bool = True) -> keras.Model:
    """Load a network that a recipe's run saved, with whatever layers are a person's own."""
    known = own_layers(recipe.network) if recipe.is_own else None
    return keras.models.load_model(path, custom_objects=known, compile=compile)


def for_training(network: keras.Model) -> keras.Model:
    """Return a network from images to `logits` alone, with the same weights."""
    return keras.Model(network.input, network.output[LOGITS], name=network.name)


def logits_of(network: keras.Model, photos: Pixels) -> npt.NDArray[np.float32]:
    """Compute logits, shape `(n, outputs)`, of photos: uint8 of shape `(n, size, size, 3)`."""
    chunks = (photos[first : first + _CHUNK] for first in range(0, len(photos), _CHUNK))
    return np.concatenate(
        [keras.ops.convert_to_numpy(network(chunk, training=False)[LOGITS]) for chunk in chunks]
    )


def multiply_adds(network: keras.Model) -> int:
    """Count the multiplications, each with its addition, that one image takes.

    Of convolutions and dense layers; the rest is little. `network` must be for images of one size.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            places = layer.output.shape[1] * layer.output.shape[2]
            total += places * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total
