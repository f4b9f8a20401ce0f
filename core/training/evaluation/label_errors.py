"""Labels that look wrong: photos firmly taken for others by heads that did not learn from them."""

from __future__ import annotations

import numpy as np

from core.model.probabilities import Floats
from core.training.data.dataset import Indices
from core.training.evaluation.metrics import Flags

_FIRMLY = 0.9  # probability of another class from which on a label is doubted
_KNOWN = 0.5  # of a class's photos that must be found
MOST_DOUBTFUL = 0.05  # share of labels in doubt from which on nothing is promoted


def doubtful(probabilities: Floats, targets: Indices) -> Flags:
    """Return which photos are firmly taken for another class than their own.

    `probabilities`, shape `(n, classes)`, are out of fold. Of a class that is hardly ever found
    no label is doubted: what the head cannot tell it cannot doubt. After Northcutt et al.,
    "Confident Learning", 2021.
    """
    if not len(targets):
        return np.zeros(0, np.bool_)
    found = probabilities.argmax(axis=1) == targets
    counts = np.maximum(np.bincount(targets, minlength=probabilities.shape[1]), 1)
    is_known = np.bincount(targets, found, minlength=len(counts)) / counts >= _KNOWN
    flags: Flags = ~found & is_known[targets] & (probabilities.max(axis=1) >= _FIRMLY)
    return flags
