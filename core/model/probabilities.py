"""From the network's logits to calibrated probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


def probabilities_from_logits(logits: Floats, temperature: float) -> npt.NDArray[np.float64]:
    """Apply the temperature, then softmax.

    `logits` has shape `(n, classes)`, or `(n, 1)` for two classes and one sigmoid,
    whose logit is that of the second class; that is the softmax over (0, logit).

    Returns: shape `(n, classes)`; each row adds up to 1. Temperature scaling is that of Guo et
    al., "On Calibration of Modern Neural Networks", 2017.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if scaled.shape[-1] == 1:
        scaled = np.concatenate([np.zeros_like(scaled), scaled], axis=-1)
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities
