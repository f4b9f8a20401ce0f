"""The networks that people learn with: Keras Sequential, flattened, with dense layers at the end.

Each ends in logits: the sigmoid that such networks usually end in is applied by the loss, and by
core when it serves.
"""

from __future__ import annotations

import keras
from keras import layers

from core.training.networks.architectures.outputs import RESCALING
from core.training.networks.recipe import Recipe


def sequential_bn(size: int, outputs: int, recipe: Recipe) -> keras.Sequential:
    """Convolution, batch normalization and max pooling, by width; then dense with dropout."""
    network = _start(size, "sequential-bn")
    for width in recipe.widths:
        network.add(layers.Conv2D(width, 3, padding="same", activation="relu"))
        network.add(layers.BatchNormalization(momentum=0.95))
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    network.add(layers.Dropout(0.3 if recipe.dropout is None else recipe.dropout))
    network.add(layers.Dense(recipe.dense, activation="relu"))
    network.add(layers.Dropout(0.5 if recipe.dropout is None else recipe.dropout))
    network.add(layers.Dense(outputs))
    return network


def vgg_small(size: int, outputs: int, recipe: Recipe) -> keras.Sequential:
    """Blocks of one convolution and max pooling, as VGG has them; then dense layers."""
    return _plain("vgg-small", size, outputs, recipe, padding="same", initializer="he_uniform")


def minimal(size: int, outputs: int, recipe: Recipe) -> keras.Sequential:
    """One convolution, one pooling, one dense layer: the least that learns something."""
    return _plain("minimal", size, outputs, recipe, padding="valid", initializer="glorot_uniform")


def _plain(
    name: str, size: int, outputs: int, recipe: Recipe, *, padding: str, initializer: str
) -> keras.Sequential:
    network = _start(size, name)
    how = {"activation": "relu", "kernel_initializer": initializer}
    for width in recipe.widths:
        network.add(layers.Conv2D(width, 3, padding=padding, **how))
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    network.add(layers.Dense(recipe.dense, **how))
    if recipe.dropout:
        network.add(layers.Dropout(recipe.dropout))
    network.add(layers.Dense(outputs))
    return network


def _start(size: int, name: str) -> keras.Sequential:
    network = keras.Sequential(name=name)
    network.add(keras.Input((size, size, 3), dtype="uint8", name="image"))
    network.add(layers.Rescaling(1 / 255, name=RESCALING))
    return network
