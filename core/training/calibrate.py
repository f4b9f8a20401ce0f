"""Making confidences mean what they say, and choosing from which on a photo is filed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from core.labels import PhotoClass, Role
from core.probabilities import Floats, probabilities_from_logits
from core.training.dataset import Indices

FILED_PRECISION = 0.993  # of the photos filed, at least this share in the right folder
NEITHER_FILED = 0.015  # of the photos of neither, at most this share filed
_LOWEST, _HIGHEST = 0.5, 0.995


def fit_temperature(logits: Floats, targets: Indices) -> float:
    """Find the temperature of the lowest cross-entropy on photos that were not learnt from.

    `logits` as for `probabilities_from_logits`. Guo et al., "On Calibration of Modern Neural
    Networks", 2017, section 4.2. Searched from 0.1 to 10.
    """

    def cross_entropy(log_temperature: float) -> float:
        probabilities = probabilities_from_logits(logits, math.exp(log_temperature))
        right = probabilities[np.arange(len(targets)), targets]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    found = minimize_scalar(cross_entropy, bounds=(math.log(0.1), math.log(10)), method="bounded")
    return math.exp(float(found.x))


def choose_threshold(
    probabilities: Floats, targets: Indices, classes: Sequence[PhotoClass]
) -> float:
    """Choose the lowest threshold at which filing is right often enough.

    That is where FILED_PRECISION and NEITHER_FILED hold on these photos, from 0.5 to 0.995 in
    steps of 0.005; the highest of them if they hold nowhere.
    """
    filed_class = np.array([photo_class.role is Role.FILE for photo_class in classes])
    best = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    is_pet = filed_class[targets]
    for threshold in np.arange(_LOWEST, _HIGHEST, 0.005):
        filed: npt.NDArray[np.bool_] = (confidence >= threshold) & filed_class[best]
        pets = filed & is_pet
        right = (best == targets)[pets].mean() if pets.any() else 0.0
        neither = filed[~is_pet].mean() if (~is_pet).any() else 0.0
        if right >= FILED_PRECISION and neither <= NEITHER_FILED:
            return round(float(threshold), 3)
    return _HIGHEST
