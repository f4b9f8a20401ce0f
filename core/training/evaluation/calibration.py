"""Calibrating confidences, and choosing the thresholds from which on an answer is sure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from core.labels import PhotoClass, Role
from core.model.probabilities import Floats, probabilities_from_logits
from core.model.verdict import class_indices
from core.training.data.dataset import Indices
from core.training.evaluation.metrics import Flags

# the most photos that may be given a class wrongly, as shares of those that are not of it
PETS_FILED = 0.002  # of those that should be filed elsewhere
KINDS_FILED = 0.002  # of those of the class that it is a kind of
NEITHER_FILED = 0.0015
PETS_CALLED = {Role.BOTH: 0.004, Role.NEITHER: 0.02}  # of the photos that should be filed
_LOWEST, _HIGHEST, _STEP = 0.5, 0.995, 0.005
_FEW, _LOWEST_OF_FEW = 100, 0.9  # of a class with fewer photos too little is known for less
TEMPERATURES = (0.5, 3.0)


def fit_temperature(logits: Floats, targets: Indices) -> float:
    """Return the temperature of the lowest cross-entropy on photos that were not learnt from.

    `logits` as for `probabilities_from_logits`. Guo et al., "On Calibration of Modern Neural
    Networks", 2017, section 4.2. Kept within TEMPERATURES: few photos would have it anywhere.
    """

    def cross_entropy(log_temperature: float) -> float:
        probabilities = probabilities_from_logits(logits, math.exp(log_temperature))
        right = probabilities[np.arange(len(targets)), targets]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    low, high = map(math.log, TEMPERATURES)
    found = minimize_scalar(cross_entropy, bounds=(low, high), method="bounded")
    return round(math.exp(float(found.x)), 4)


def choose_thresholds(
    probabilities: Floats, targets: Indices, classes: Sequence[PhotoClass]
) -> tuple[float, ...]:
    """Choose for each class the lowest threshold at which it is seldom given wrongly.

    From 0.5 to 0.995 in steps of 0.005; the highest where the limits above hold nowhere. Half a
    wrong photo is added to those that are counted (Krichevsky and Trofimov, 1981), so that where
    there is little to tell by, thresholds are high. The kinds of a class come before it: what
    none of them is sure of counts for the class itself.
    """
    chosen = list(classes)
    order = sorted(range(len(classes)), key=lambda index: classes[index].parent is None)
    for index in order:
        chosen[index] = chosen[index].with_threshold(_HIGHEST)
        for threshold in np.arange(_lowest(targets, index, classes), _HIGHEST, _STEP):
            tried = chosen[index].with_threshold(round(float(threshold), 3))
            others = [*chosen[:index], tried, *chosen[index + 1 :]]
            given = class_indices(probabilities, others) == index
            if _holds(given, targets, classes, index):
                chosen[index] = tried
                break
    return tuple(one.threshold for one in chosen)


def _lowest(targets: Indices, index: int, classes: Sequence[PhotoClass]) -> float:
    own = classes[index]
    # what is no kind of its parent's is filed as its parent all the same
    few = own.role is Role.FILE and own.parent is None and (targets == index).sum() < _FEW
    return _LOWEST_OF_FEW if few else _LOWEST


def _holds(given: Flags, targets: Indices, classes: Sequence[PhotoClass], index: int) -> bool:
    """Return whether a class is seldom enough given to photos that are not of it."""
    own = classes[index]
    labels = [one.label for one in classes]
    roles = np.array([one.role for one in classes])
    kinds = [kind for kind, one in enumerate(classes) if one.parent == own.label]
    is_pet: Flags = (roles[targets] == Role.FILE) & (targets != index) & ~np.isin(targets, kinds)
    if own.role is not Role.FILE:
        return _at_most(PETS_CALLED[own.role], given, is_pet)
    if own.parent is not None:
        of_parent: Flags = targets == labels.index(own.parent)
        if not _at_most(KINDS_FILED, given, of_parent):
            return False
        is_pet &= ~of_parent
    is_neither: Flags = (roles[targets] == Role.NEITHER) & (targets != index)
    return _at_most(PETS_FILED, given, is_pet) and _at_most(NEITHER_FILED, given, is_neither)


def _at_most(limit: float, given: Flags, among: Flags) -> bool:
    return bool((given[among].sum() + 0.5) / (among.sum() + 1) <= limit)
