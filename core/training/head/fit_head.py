"""Fitting a head: multinomial logistic regression that stays near the head before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from core.model.head import Floats, Head
from core.training.data.dataset import Indices

_MOST_ITERATIONS = 200
_TOLERANCE = 1e-4  # of the gradient's largest component


@dataclass(frozen=True, slots=True)
class Samples:
    """What a head is fitted to: n embeddings."""

    features: Floats  # shape (n, channels)
    targets: Indices  # shape (n,)
    weights: Floats  # shape (n,); they need not add up to anything


def fit_head(samples: Samples, before: Head, *, decay: float | Floats) -> Head:
    """Fit a head by weighted cross-entropy, with a penalty on how far it leaves `before`.

    `decay`, one for all classes or one for each, is the weight of half the squared difference of
    the kernels, beside the mean cross-entropy; biases are free. `before` has the classes of
    `samples.targets`.
    """
    channels, classes = before.kernel.shape
    features = samples.features.astype(np.float32)
    weights = (samples.weights / samples.weights.sum()).astype(np.float32)
    rows = np.arange(len(samples.targets))
    # features of one order of magnitude: a hundred times fewer iterations
    spread = np.maximum(features.std(axis=0), 1e-2)
    scaled = features / spread
    centre = before.kernel * spread[:, np.newaxis]

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        change, bias = _unpack(flat, channels, classes)
        logits = scaled @ (centre + change) + bias
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1)
        loss = float(weights @ (np.log(total) - logits[rows, samples.targets]))
        slopes = powers / total[:, np.newaxis]
        slopes[rows, samples.targets] -= 1.0
        slopes *= weights[:, np.newaxis]
        of_kernel = scaled.T @ slopes + decay * change
        loss += 0.5 * float((decay * change**2).sum())
        return loss, np.concatenate([of_kernel.ravel(), slopes.sum(axis=0)]).astype(np.float64)

    start = np.concatenate([np.zeros(channels * classes), before.bias]).astype(np.float64)
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MOST_ITERATIONS, "gtol": _TOLERANCE},
    )
    change, bias = _unpack(found.x, channels, classes)
    return Head(((centre + change) / spread[:, np.newaxis]).astype(np.float32), bias)


def _unpack(flat: npt.NDArray[np.float64], channels: int, classes: int) -> tuple[Floats, Floats]:
    kernel = flat[: channels * classes].reshape(channels, classes).astype(np.float32)
    return kernel, flat[channels * classes :].astype(np.float32)


def nothing_known(channels: int, classes: int) -> Head:
    """Make the head that a first fit begins with."""
    return Head(np.zeros((channels, classes), np.float32), np.zeros(classes, np.float32))
