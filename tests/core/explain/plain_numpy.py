"""Networks computed anew with NumPy alone, from their weights: what the pages must agree with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def forward(
    network: Any, photo: npt.NDArray[np.uint8], ways: dict[str, list[str]]
) -> dict[str, Array]:
    """Compute what each layer gives for a photo.

    `ways` names the layers that each layer reads from, in an order that can be computed. Biases,
    means and kernels are asked of Keras by the layer's name; all arithmetic is here.
    """
    values: dict[str, Array] = {}
    for name, inputs in ways.items():
        layer = network.get_layer(name)
        given = [values[one] for one in inputs]
        kind = type(layer).__name__
        values[name] = (
            photo.astype(np.float64) if kind == "InputLayer" else _LAYERS[kind](layer, *given)
        )
    return values


def windows(x: Array, size: tuple[int, int], stride: int, padding: str, fill: float) -> Array:
    """Cut a map into the windows that a filter lies on, shape (rows, columns, h, w, c)."""
    if padding == "same":
        pads = []
        for side, window in zip(x.shape[:2], size, strict=True):
            total = max((-(-side // stride) - 1) * stride + window - side, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, (*pads, (0, 0)), constant_values=fill)
    cut = np.lib.stride_tricks.sliding_window_view(x, size, axis=(0, 1))
    return np.moveaxis(cut[::stride, ::stride], 2, -1)


def _conv(layer: Any, x: Array) -> Array:
    cut = windows(x, layer.kernel_size, layer.strides[0], layer.padding, 0.0)
    kernel, *bias = (one.astype(np.float64) for one in layer.get_weights())
    out = np.einsum("rchwi,hwio->rco", cut, kernel, optimize=True)
    return _activated(layer, out + bias[0] if bias else out)


def _depthwise(layer: Any, x: Array) -> Array:
    cut = windows(x, layer.kernel_size, layer.strides[0], layer.padding, 0.0)
    (kernel,) = layer.get_weights()
    out: Array = np.einsum("rchwi,hwi->rci", cut, kernel[..., 0].astype(np.float64), optimize=True)
    return out


def _normalized(layer: Any, x: Array) -> Array:
    gamma, beta, mean, variance = (one.astype(np.float64) for one in layer.get_weights())
    out: Array = (x - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta
    return out


def _pooled(layer: Any, x: Array, *, largest: bool) -> Array:
    fill = -np.inf if largest else np.nan  # Keras leaves what is padded out of means
    cut = windows(x, layer.pool_size, layer.strides[0], layer.padding, fill)
    out: Array = cut.max(axis=(2, 3)) if largest else np.nanmean(cut, axis=(2, 3))
    return out


def _dense(layer: Any, x: Array) -> Array:
    kernel, bias = (one.astype(np.float64) for one in layer.get_weights())
    return _activated(layer, x @ kernel + bias)


def _activated(layer: Any, x: Array) -> Array:
    name = layer.activation.__name__
    if name == "relu":
        return np.maximum(x, 0)
    if name == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-x)))
    assert name == "linear"
    return x


_LAYERS: dict[str, Callable[..., Array]] = {
    "Rescaling": lambda layer, x: x * layer.scale + layer.offset,
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise,
    "BatchNormalization": _normalized,
    "ReLU": lambda layer, x: np.clip(x, 0, layer.max_value),
    "MaxPooling2D": lambda layer, x: _pooled(layer, x, largest=True),
    "AveragePooling2D": lambda layer, x: _pooled(layer, x, largest=False),
    "GlobalAveragePooling2D": lambda layer, x: np.asarray(
        x.mean(axis=(0, 1), keepdims=layer.keepdims)
    ),
    "Flatten": lambda layer, x: x.ravel(),
    "Dropout": lambda layer, x: x,
    "Dense": _dense,
    "Add": lambda layer, x, y: x + y,
    "Multiply": lambda layer, x, y: x * y,
}
