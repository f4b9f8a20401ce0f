"""What is shown of the inside of a network: normalization, pooling, stages, the end of the maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from core.training.networks.inspected import Inspected, Layer, LayerKind

Floats = npt.NDArray[np.float32]

STRONGEST = 6  # feature maps of a stage
_REDUCING = (LayerKind.MAX_POOLING, LayerKind.AVERAGE_POOLING)
_STRIDED = (LayerKind.DEPTHWISE, LayerKind.CONVOLUTION)


@dataclass(frozen=True, slots=True, eq=False)
class Normalization:
    """One channel of a batch normalization, before and after."""

    name: str
    channel: int
    before: Floats  # shape (h, w)
    after: Floats
    mean: float
    variance: float
    gamma: float
    beta: float
    epsilon: float
    follows: str  # the kind of layer that it reads from
    spread: tuple[float, float]  # standard deviation of the channels before: smallest, largest
    spread_after: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """One channel where a map becomes smaller."""

    name: str
    how: str  # max, average or stride
    channel: int
    window: int  # places a side that one value is made of, of a pooling
    before: Floats  # shape (h, w)
    after: Floats
    corner: tuple[int, int]  # of the values shown: row and column in `after`

    @property
    def values_after(self) -> Floats:
        """Two by two values of what is left."""
        row, column = self.corner
        return self.after[row : row + 2, column : column + 2]

    @property
    def values_before(self) -> Floats:
        """The values that these are made of."""
        row, column = (one * self.window for one in self.corner)
        return self.before[row : row + 2 * self.window, column : column + 2 * self.window]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Layers whose maps have one size."""

    size: tuple[int, int]
    layers: tuple[Layer, ...]
    shown: Layer  # whose maps are shown
    strongest: tuple[int, ...]  # channels, the strongest first

    @property
    def channels(self) -> int:
        return int(self.shown.output.shape[-1])


@dataclass(frozen=True, slots=True, eq=False)
class EndOfMaps:
    """Where maps become one row of numbers."""

    name: str
    how: str  # flatten or average
    shape: tuple[int, int, int]
    map: Floats  # shape (h, w, channels)
    next_units: int | None  # of the dense layer that reads it
    next_weights: int | None

    @property
    def numbers(self) -> int:
        height, width, channels = self.shape
        return height * width * channels

    @property
    def left(self) -> int:
        return self.numbers if self.how == "flatten" else self.shape[2]


def normalization(inspected: Inspected, channel: int | None = None) -> Normalization | None:
    """Show the first batch normalization at a channel, or at that which varies the most."""
    for layer in inspected.layers:
        if layer.kind is LayerKind.NORMALIZATION and layer.is_map:
            break
    else:
        return None
    source = inspected.before(layer)
    before, after = source.output, layer.output
    # in double precision: over so many places, that of one value alone came to 2e-4 in single
    spreads, spreads_after = (one.std(axis=(0, 1), dtype=np.float64) for one in (before, after))
    if channel is None or channel >= before.shape[-1]:
        channel = int(spreads.argmax())
    weights = layer.weights
    ones, zeros = np.ones(before.shape[-1]), np.zeros(before.shape[-1])
    return Normalization(
        name=layer.name,
        channel=channel,
        before=before[..., channel],
        after=after[..., channel],
        mean=float(weights["moving_mean"][channel]),
        variance=float(weights["moving_variance"][channel]),
        gamma=float(weights.get("gamma", ones)[channel]),
        beta=float(weights.get("beta", zeros)[channel]),
        epsilon=layer.numbers.get("epsilon", 1e-3),
        follows="the ReLU" if source.activation.startswith("relu") else f"the {source.kind}",
        spread=(float(spreads.min()), float(spreads.max())),
        spread_after=(float(spreads_after.min()), float(spreads_after.max())),
    )


def reduction(inspected: Inspected, channel: int | None = None) -> Reduction | None:
    """Show the first pooling, or without one the first stride, at a channel or the liveliest."""
    chosen = next((one for one in inspected.layers if one.kind in _REDUCING and one.is_map), None)
    if chosen is None:
        strided = [one for one in inspected.layers if one.kind in _STRIDED and one.stride > 1]
        same = [one for one in strided if one.kind is LayerKind.DEPTHWISE]
        if not same:
            return None
        chosen = same[0]
    before = inspected.before(chosen).output
    pooled = chosen.kind in _REDUCING
    after = (chosen if pooled else _activated(inspected, chosen)).output
    if channel is None or channel >= before.shape[-1]:
        channel = int(before.std(axis=(0, 1)).argmax())
    if not pooled:
        channel = _most_alike(before, after)
    source, target = before[..., channel], after[..., channel]
    corners = target[: max(1, target.shape[0] - 1), : max(1, target.shape[1] - 1)]
    row, column = np.unravel_index(int(corners.argmax()), corners.shape)
    return Reduction(
        name=chosen.name,
        how={LayerKind.MAX_POOLING: "max", LayerKind.AVERAGE_POOLING: "average"}.get(
            chosen.kind, "stride"
        ),
        channel=channel,
        window=chosen.window[0] if pooled else chosen.stride,
        before=source,
        after=target,
        corner=(int(row), int(column)),
    )


def stages(inspected: Inspected) -> Iterator[Stage]:
    """Divide the layers by the size of their maps."""
    maps = [
        layer
        for layer in inspected.layers
        if layer.is_map
        and layer.output.shape[0] > 1
        and layer.kind not in (LayerKind.INPUT, LayerKind.RESCALING)
    ]
    for size, group in groupby(maps, key=lambda layer: layer.output.shape[:2]):
        layers = tuple(group)
        shown = _most_telling(layers)
        if shown is not None:
            order = shown.output.std(axis=(0, 1)).argsort(kind="stable")[::-1]
            strongest = tuple(int(channel) for channel in order[:STRONGEST])
            yield Stage((int(size[0]), int(size[1])), layers, shown, strongest)


def end_of_maps(inspected: Inspected) -> EndOfMaps | None:
    """Find the flatten or the global average pooling that the dense layers read from."""
    for layer in reversed(inspected.layers):
        if layer.kind not in (LayerKind.FLATTEN, LayerKind.GLOBAL_POOLING) or layer.is_map:
            continue
        source = inspected.before(layer).output
        if source.ndim != 3:
            continue
        dense = next(
            (
                one
                for one in inspected.layers[inspected.layers.index(layer) :]
                if one.kind is LayerKind.DENSE
            ),
            None,
        )
        kernel = None if dense is None else dense.weights["kernel"]
        height, width, channels = source.shape
        return EndOfMaps(
            name=layer.name,
            how="flatten" if layer.kind is LayerKind.FLATTEN else "average",
            shape=(height, width, channels),
            map=source,
            next_units=None if kernel is None else int(kernel.shape[1]),
            next_weights=None if kernel is None else int(kernel.size),
        )
    return None


def _most_telling(layers: tuple[Layer, ...]) -> Layer | None:
    """Choose the last layer that has applied a ReLU, else the last."""
    for layer in reversed(layers):
        if layer.activation.startswith("relu"):
            return layer
    with_maps = [one for one in layers if one.kind not in _REDUCING]
    return with_maps[-1] if with_maps else None


def _most_alike(before: Floats, after: Floats) -> int:
    """Find the channel in which what is left looks the most like what was there."""
    every = before[:: before.shape[0] // after.shape[0], :: before.shape[1] // after.shape[1]]
    every = every[: after.shape[0], : after.shape[1]]
    one, other = every - every.mean(axis=(0, 1)), after - after.mean(axis=(0, 1))
    alike = (one * other).sum(axis=(0, 1))
    alike /= np.sqrt((one**2).sum(axis=(0, 1)) * (other**2).sum(axis=(0, 1))) + 1e-6
    return int(alike.argmax())


def _activated(inspected: Inspected, layer: Layer) -> Layer:
    """Follow a layer through the normalization and activation that belong to it."""
    while layer.activation == "linear":
        following = inspected.after(layer)
        if len(following) != 1 or following[0].kind not in (
            LayerKind.NORMALIZATION,
            LayerKind.ACTIVATION,
        ):
            break
        (layer,) = following
        if layer.kind is LayerKind.ACTIVATION:
            break
    return layer
