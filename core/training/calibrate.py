"""Making confidences mean what they say, and choosing from which on a photo is filed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from core.labels import PhotoClass
from core.probabilities import Floats, probabilities_from_logits
from core.training.dataset import Indices
from core.training.figures import Flags, confidence_to_file, filed_classes

FILED_PRECISION = 0.993  # of the photos filed, at least this share in the right folder
NEITHER_FILED = 0.015  # of the photos of neither, at most this share filed
_LOWEST, _HIGHEST = 0.5, 0.995
_FEWEST_OF_SOURCE = 10  # photos from which on a source counts by itself
_BY_CHANCE = 0.05  # rarer than that is taken for no chance


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
    probabilities: Floats,
    targets: Indices,
    classes: Sequence[PhotoClass],
    sources: Sequence[str | None],
) -> float:
    """Choose the lowest threshold at which filing is right often enough.

    That is where FILED_PRECISION and NEITHER_FILED hold on these photos, from 0.5 to 0.995 in
    steps of 0.005; the highest of them if they hold nowhere. `sources` are those of the photos,
    and each counts alike, whatever its size: the photos of people whom nobody has met are more
    like another source than like one more photo of the largest.
    """
    is_right: Flags = probabilities.argmax(axis=1) == targets
    is_pet = filed_classes(classes)[targets]
    confidence = confidence_to_file(probabilities, classes)
    _, source_of_row = np.unique([source or "" for source in sources], return_inverse=True)
    for threshold in np.arange(_LOWEST, _HIGHEST, 0.005):
        filed: Flags = confidence >= threshold
        right = _mean_of_sources(is_right, filed & is_pet, source_of_row)
        neither = _mean_of_sources(filed, ~is_pet, source_of_row)
        if (right or 0.0) >= FILED_PRECISION and (neither or 0.0) <= NEITHER_FILED:
            return round(float(threshold), 3)
    return _HIGHEST


def files_too_much(
    probabilities: Floats, targets: Indices, classes: Sequence[PhotoClass], threshold: float
) -> bool:
    """Tell whether filing from a threshold on is wrong more often than chance explains.

    That is where what FILED_PRECISION and NEITHER_FILED allow would make so many wrong in fewer
    than 1 of 20 cases, by the binomial distribution. Few photos prove little: of 13 one may be
    wrong, of 200 four.
    """
    filed = confidence_to_file(probabilities, classes) >= threshold
    is_pet = filed_classes(classes)[targets]
    is_wrong: Flags = probabilities.argmax(axis=1) != targets
    return any(
        binomtest(int(wrong.sum()), len(wrong), allowed, alternative="greater").pvalue < _BY_CHANCE
        for wrong, allowed in (
            (is_wrong[filed & is_pet], 1 - FILED_PRECISION),
            (filed[~is_pet], NEITHER_FILED),
        )
        if len(wrong)
    )


def _mean_of_sources(flags: Flags, among: Flags, sources: Indices) -> float | None:
    """Compute the share of flags in each source, and the mean of these; None of no photos.

    Only photos `among` those count; sources with few of them count together, as one.
    """
    if not among.any():
        return None
    photos = np.bincount(sources[among], minlength=sources.max() + 1)
    own = np.where(photos[sources] >= _FEWEST_OF_SOURCE, sources, len(photos))
    counts = np.bincount(own[among])
    found = np.bincount(own[among], weights=flags[among])
    return float((found[counts > 0] / counts[counts > 0]).mean())
