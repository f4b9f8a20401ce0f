"""The last dense layer as a sum of evidence: what spoke for the answer, what against, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.training.networks.inspected import Inspected, Layer, LayerKind

Floats = npt.NDArray[np.float64]

PIECES = 10  # for, and as many against
_PIECEWISE = ("linear", "relu")  # activations through which evidence can be followed exactly


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One number that the last layer decides by."""

    index: int  # of the channel or the unit
    value: float
    weight: float  # for the answer, rather than the others
    places: Floats | None  # where in the photo the value comes from, (h, w)

    @property
    def evidence(self) -> float:
        return self.value * self.weight


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the lead of the answer is made of.

    `total` is how far the logit of the answer is above the mean of the others'; a softmax knows
    nothing else, for it does not change if all logits rise together.
    """

    what: str  # channel or unit
    speaking_for: tuple[Piece, ...]  # the strongest first
    against: tuple[Piece, ...]
    numbers: int  # how many there are in all
    bias: float
    total: float
    gains: float  # the sum of all that speaks for it, without the bias
    losses: float  # and against it, at most 0
    places: Floats | None  # evidence from each place, (h, w); with the biases they add up to total


def lead_over(values: npt.NDArray[np.floating], index: int) -> Floats:
    """Hold the class `index` against the mean of the others, along the last axis.

    One column is that of one sigmoid, which speaks for the second of two classes.
    """
    array = np.asarray(values, np.float64)
    if array.shape[-1] == 1:
        return np.asarray(array[..., 0] if index == 1 else -array[..., 0])
    others = np.delete(array, index, axis=-1)
    return np.asarray(array[..., index] - others.mean(axis=-1))


def of_pooled(
    feature_map: npt.NDArray[np.floating],
    kernel: npt.NDArray[np.floating],
    bias: npt.NDArray[np.floating],
    index: int,
) -> Evidence:
    """Take apart a dense layer over the mean of a feature map, `(h, w, channels)`."""
    features = np.asarray(feature_map, np.float64)
    weights, own_bias = lead_over(kernel, index), float(lead_over(bias, index))
    values = features.mean(axis=(0, 1))
    some = _strongest(values * weights)
    pieces = {i: Piece(i, float(values[i]), float(weights[i]), features[..., i]) for i in some}
    places = features @ weights / (features.shape[0] * features.shape[1])
    return _evidence("channel", values * weights, pieces, own_bias, places)


def of_network(inspected: Inspected, index: int) -> Evidence | None:
    """Take apart the last dense layer of a network; None if it does not end in one."""
    chain = _dense_chain(inspected)
    if not chain:
        return None
    start, dense = chain
    last = dense[-1]
    kernel, bias = last.weights["kernel"], _bias(last)
    if start.kind is LayerKind.GLOBAL_POOLING and len(dense) == 1:
        return of_pooled(inspected.before(start).output, kernel, bias, index)
    weights, own_bias = lead_over(kernel, index), float(lead_over(bias, index))
    values = np.asarray(dense[-2].output if len(dense) > 1 else start.output, np.float64).ravel()
    some = _strongest(values * weights)
    flat = inspected.before(start).output if start.kind is LayerKind.FLATTEN else None
    where = {i: _places(flat, dense[:-1], _one(i, len(values))) for i in some}
    pieces = {i: Piece(i, float(values[i]), float(weights[i]), where[i]) for i in some}
    gate = np.ones(len(values)) if len(dense) == 1 else (values > 0) + 0.0
    if len(dense) > 1 and dense[-2].activation == "linear":
        gate = np.ones(len(values))
    places = _places(flat, dense[:-1], weights * gate)
    return _evidence("unit", values * weights, pieces, own_bias, places)


def _evidence(
    what: str, evidence: Floats, pieces: dict[int, Piece], bias: float, places: Floats | None
) -> Evidence:
    by_strength = sorted(pieces.values(), key=lambda piece: -piece.evidence)
    return Evidence(
        what=what,
        speaking_for=tuple(piece for piece in by_strength if piece.evidence > 0),
        against=tuple(piece for piece in reversed(by_strength) if piece.evidence < 0),
        numbers=len(evidence),
        bias=bias,
        total=float(evidence.sum() + bias),
        gains=float(evidence[evidence > 0].sum()),
        losses=float(evidence[evidence < 0].sum()),
        places=places,
    )


def _strongest(evidence: Floats) -> list[int]:
    """Find the strongest for and against, as many as are shown."""
    order = np.argsort(evidence, kind="stable")
    return sorted({int(i) for i in (*order[:PIECES], *order[::-1][:PIECES])})


def _one(index: int, number: int) -> Floats:
    vector = np.zeros(number)
    vector[index] = 1.0
    return vector


def _places(
    flat: npt.NDArray[np.float32] | None, dense: list[Layer], towards: Floats
) -> Floats | None:
    """Follow a sum of units back to the places of the map that was flattened.

    A ReLU passes what is above 0 as it is and nothing else, so that for one photo the layers
    between are one sum. Biases have no place and are left out. Returns None where that does not
    hold.
    """
    if flat is None or any(layer.activation not in _PIECEWISE for layer in dense):
        return None
    weights = towards
    for index in range(len(dense) - 1, -1, -1):
        weights = np.asarray(dense[index].weights["kernel"], np.float64) @ weights
        if index > 0 and dense[index - 1].activation == "relu":
            weights = weights * (dense[index - 1].output > 0)
    height, width, _ = flat.shape
    spread = np.asarray(flat, np.float64).ravel() * weights
    return np.asarray(spread.reshape(height, width, -1).sum(axis=-1))


def _dense_chain(inspected: Inspected) -> tuple[Layer, list[Layer]] | None:
    """Find the dense layers at the end, and what turned a map into a row of numbers for them."""
    dense: list[Layer] = []
    layer = inspected.last
    while layer.kind in (LayerKind.DENSE, LayerKind.DROPOUT) and layer.inputs:
        if layer.kind is LayerKind.DENSE:
            dense.append(layer)
        layer = inspected.before(layer)
    if not dense or layer.output.ndim != 1:
        return None
    return layer, dense[::-1]


def _bias(layer: Layer) -> npt.NDArray[np.float32]:
    kernel = layer.weights["kernel"]
    return layer.weights.get("bias", np.zeros(kernel.shape[-1], np.float32))
