"""Looks into a Keras network: gives NumPy arrays, so that who shows them needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.errors import ModelRefused
from core.model.preprocessing import Pixels
from core.paths import display
from core.training.networks.architectures.outputs import LOGITS
from core.training.networks.inspected import Floats, Inspected, Layer, LayerKind

_KINDS = {
    "InputLayer": LayerKind.INPUT,
    "Rescaling": LayerKind.RESCALING,
    "Conv2D": LayerKind.CONVOLUTION,
    "DepthwiseConv2D": LayerKind.DEPTHWISE,
    "BatchNormalization": LayerKind.NORMALIZATION,
    "ReLU": LayerKind.ACTIVATION,
    "Activation": LayerKind.ACTIVATION,
    "MaxPooling2D": LayerKind.MAX_POOLING,
    "AveragePooling2D": LayerKind.AVERAGE_POOLING,
    "GlobalAveragePooling2D": LayerKind.GLOBAL_POOLING,
    "Flatten": LayerKind.FLATTEN,
    "Dropout": LayerKind.DROPOUT,
    "Dense": LayerKind.DENSE,
    "Add": LayerKind.ADD,
    "Multiply": LayerKind.MULTIPLY,
}
_WEIGHTS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
_NUMBERS = ("epsilon", "rate", "scale", "offset")
_CHUNK = 64  # photos that go through a network at once


@dataclass(frozen=True, slots=True)
class _Step:
    """A use of a layer: one that is used twice has two."""

    operation: Any
    inputs: tuple[Any, ...]  # Keras tensors
    output: Any  # Keras tensor


def open_network(path: Path) -> keras.Model:
    """Open a `.keras` file of plain layers. Raises ModelRefused."""
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the file makes it stumble over
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ModelRefused(
            f"{display(path)} cannot be opened by Keras ({reason}). Install catdog again, or "
            "train again."
        ) from error
    if not isinstance(network, keras.Model) or len(network.inputs) != 1:
        raise ModelRefused(f"{display(path)} is no network from one image. Train again.")
    return network


def inspect(network: keras.Model, photo: Pixels) -> Inspected:
    """Run a photo, uint8 of shape `(size, size, 3)`, through a network, and keep all.

    Of a network with several outputs the way to its logits is shown.
    """
    return Inspected(tuple(_layers(network, photo[np.newaxis], before=None)))


def embeddings(network: keras.Model, photos: Pixels) -> Floats:
    """Compute what the last layer decides by, for photos of shape `(n, size, size, 3)`.

    Returns: shape `(n, units)`.
    """
    step = _steps(_end(network))[-1]
    view = keras.Model(network.inputs[0], step.inputs[0])
    chunks = (photos[first : first + _CHUNK] for first in range(0, len(photos), _CHUNK))
    arrays = [keras.ops.convert_to_numpy(view(chunk, training=False)) for chunk in chunks]
    return np.concatenate(arrays).reshape(len(photos), -1)


def _layers(network: keras.Model, photo: Any, *, before: str | None) -> Iterator[Layer]:
    """Give the layers; `before` is the one that a network within a network reads from."""
    steps = _steps(_end(network))
    view = keras.Model(network.inputs[0], [step.output for step in steps])
    computed = view(photo, training=False)
    outputs = dict(zip((id(step.output) for step in steps), computed, strict=True))
    names: dict[int, str] = {}  # by the tensor
    for step in steps:
        key = id(step.output)
        if before is not None and not step.inputs:
            names[key] = before
            continue
        inputs = tuple(names[id(one)] for one in step.inputs)
        if isinstance(step.operation, keras.Model):
            last = inputs[0]
            for layer in _layers(step.operation, outputs[id(step.inputs[0])], before=last):
                last = layer.name
                yield layer
            names[key] = last
            continue
        names[key] = step.operation.name if before is None else f"{before}/{step.operation.name}"
        array = keras.ops.convert_to_numpy(outputs[key])[0]
        yield _layer(step.operation, names[key], inputs, array)


def _end(network: keras.Model) -> Any:
    """Give the tensor that the way leads to."""
    output = network.output
    # `output` of a network within another is what it gives there; `outputs` are its own
    return output[LOGITS] if isinstance(output, dict) else network.outputs[0]


def _steps(end: Any) -> list[_Step]:
    """List what is computed on the way to a tensor, in order."""
    found: dict[int, _Step] = {}

    def visit(tensor: Any) -> None:
        if id(tensor) in found:
            return
        operation, node_index, _ = tensor._keras_history
        inputs = tuple(operation._inbound_nodes[node_index].input_tensors)
        for one in inputs:
            visit(one)
        found[id(tensor)] = _Step(operation, inputs, tensor)

    visit(end)
    return list(found.values())


def _layer(operation: Any, name: str, inputs: tuple[str, ...], output: Any) -> Layer:
    weights = {
        weight: np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
        for weight in _WEIGHTS
        if (variable := getattr(operation, weight, None)) is not None
    }
    window: Any = getattr(operation, "pool_size", None) or getattr(operation, "kernel_size", (1, 1))
    strides: Any = getattr(operation, "strides", None) or 1
    numbers = {
        number: float(value)
        for number in _NUMBERS
        if isinstance(value := getattr(operation, number, None), (int, float))
        and not isinstance(value, bool)
    }
    return Layer(
        name=name,
        kind=_KINDS.get(type(operation).__name__, LayerKind.OTHER),
        inputs=inputs,
        output=np.asarray(output, np.float32),
        activation=_activation(operation),
        weights=weights,
        window=(int(window[0]), int(window[1])),
        stride=strides if isinstance(strides, int) else int(strides[0]),
        padding=str(getattr(operation, "padding", "valid")),
        numbers=numbers,
    )


def _activation(operation: Any) -> str:
    """Name what a layer applies to its values."""
    if isinstance(operation, keras.layers.ReLU):
        return "relu" if operation.max_value is None else f"relu{operation.max_value:g}"
    applied = getattr(operation, "activation", None)
    return str(getattr(applied, "__name__", "linear"))
