"""The first convolution of a network: its filters, and what it makes of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.networks.inspected import Inspected, Layer, LayerKind

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FirstLayer:
    """All that turns pixels into the first feature maps.

    A value is `activation(multiplier * (sum of products + bias) + shift)` of pixels brought to
    `pixel * scale + offset`.
    """

    name: str
    kernel: Floats  # shape (height, width, 3, filters)
    bias: Floats | None  # shape (filters,)
    scale: float
    offset: float
    stride: int
    padding: tuple[int, int]  # rows above and columns to the left that are not there, and count 0
    multiplier: Floats | None  # of a batch normalization that stands before the activation
    shift: Floats | None
    activation: str
    output: Floats  # shape (h, w, filters)

    @property
    def filters(self) -> int:
        return int(self.kernel.shape[-1])

    @property
    def choice(self) -> int:
        """The filter that finds edges the most: its weights outweigh each other."""
        kernels = self.kernel.reshape(-1, self.filters)
        balance = 1 - np.abs(kernels.sum(axis=0)) / np.maximum(np.abs(kernels).sum(axis=0), 1e-9)
        return int((self.output.std(axis=(0, 1)) * balance).argmax())

    @property
    def place(self) -> tuple[int, int]:
        """Where that filter answers strongly, near the middle."""
        values = self.output[..., self.choice]
        rows, columns = np.nonzero(values >= 0.9 * values.max())
        height, width = values.shape
        nearest = np.hypot(rows - height / 2, columns - width / 2).argmin()
        return int(rows[nearest]), int(columns[nearest])


def first_layer(inspected: Inspected) -> FirstLayer | None:
    """Find the first convolution and what belongs to it; None if a network begins otherwise."""
    scale, offset, layer = 1.0, 0.0, inspected.layers[0]
    while layer.kind in (LayerKind.INPUT, LayerKind.RESCALING, LayerKind.DROPOUT):
        if layer.kind is LayerKind.RESCALING:
            own = layer.numbers.get("scale", 1.0)
            scale, offset = scale * own, offset * own + layer.numbers.get("offset", 0.0)
        following = inspected.after(layer)
        if len(following) != 1:
            return None
        (layer,) = following
    if layer.kind is not LayerKind.CONVOLUTION or layer.weights["kernel"].shape[2] != 3:
        return None
    return _with_what_follows(inspected, layer, scale, offset)


def folded(normalization: Layer) -> tuple[Floats, Floats]:
    """Write a batch normalization as `multiplier * value + shift`, a pair for each channel."""
    weights = normalization.weights
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    epsilon = normalization.numbers.get("epsilon", 1e-3)
    multiplier = weights.get("gamma", np.ones_like(mean)) / np.sqrt(variance + np.float32(epsilon))
    shift = weights.get("beta", np.zeros_like(mean)) - mean * multiplier
    return multiplier.astype(np.float32), shift.astype(np.float32)


def _with_what_follows(
    inspected: Inspected, layer: Layer, scale: float, offset: float
) -> FirstLayer:
    multiplier = shift = None
    last, activation = layer, layer.activation
    if activation == "linear":
        following = inspected.after(last)
        if len(following) == 1 and following[0].kind is LayerKind.NORMALIZATION:
            (last,) = following
            multiplier, shift = folded(last)
            following = inspected.after(last)
        if len(following) == 1 and following[0].kind is LayerKind.ACTIVATION:
            (last,) = following
            activation = last.activation
    size = inspected.layers[0].output.shape[0]
    kernel = layer.weights["kernel"]
    rows = _rows_before(size, layer.output.shape[0], kernel.shape[0], layer.stride)
    columns = _rows_before(size, layer.output.shape[1], kernel.shape[1], layer.stride)
    return FirstLayer(
        name=layer.name,
        kernel=kernel,
        bias=layer.weights.get("bias"),
        scale=scale,
        offset=offset,
        stride=layer.stride,
        padding=(rows, columns) if layer.padding == "same" else (0, 0),
        multiplier=multiplier,
        shift=shift,
        activation=activation,
        output=last.output,
    )


def _rows_before(size: int, places: int, window: int, stride: int) -> int:
    """Count the rows before the first that `same` padding adds."""
    return max((places - 1) * stride + window - size, 0) // 2
