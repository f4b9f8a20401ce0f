"""A network looked into: what each layer made of one photo, and by which weights, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class LayerKind(StrEnum):
    """What a layer does."""

    INPUT = "input"
    RESCALING = "rescaling"
    CONVOLUTION = "convolution"
    DEPTHWISE = "depthwise convolution"
    NORMALIZATION = "batch normalization"
    ACTIVATION = "activation"
    MAX_POOLING = "max pooling"
    AVERAGE_POOLING = "average pooling"
    GLOBAL_POOLING = "global average pooling"
    FLATTEN = "flatten"
    DROPOUT = "dropout"
    DENSE = "dense"
    ADD = "add"
    MULTIPLY = "multiply"
    OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer, with what it gave for the photo."""

    name: str
    kind: LayerKind
    inputs: tuple[str, ...]  # names of the layers that it reads from
    output: Floats  # shape (h, w, c) or (n,)
    activation: str = "linear"  # applied by the layer itself: relu, relu6, sigmoid ...
    weights: Mapping[str, Floats] = field(default_factory=dict)  # kernel, bias, gamma, mean ...
    window: tuple[int, int] = (1, 1)  # of a convolution or a pooling
    stride: int = 1
    padding: str = "valid"
    numbers: Mapping[str, float] = field(default_factory=dict)  # epsilon, rate, scale, offset

    @property
    def parameters(self) -> int:
        return sum(one.size for one in self.weights.values())

    @property
    def is_map(self) -> bool:
        """Whether its output has places."""
        return self.output.ndim == 3


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """A network's layers, in an order in which they can be computed."""

    layers: tuple[Layer, ...]

    @property
    def last(self) -> Layer:
        return self.layers[-1]

    def named(self, name: str) -> Layer:
        return next(layer for layer in self.layers if layer.name == name)

    def before(self, layer: Layer) -> Layer:
        """Give the first of the layers that a layer reads from."""
        return self.named(layer.inputs[0])

    def after(self, layer: Layer) -> tuple[Layer, ...]:
        """Give the layers that read from a layer."""
        return tuple(one for one in self.layers if layer.name in one.inputs)
