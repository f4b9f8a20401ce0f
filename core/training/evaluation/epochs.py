"""What each epoch of a training came to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch came to; losses are cross-entropies in nats, accuracies 0 to 1."""

    number: int  # from 1
    size: int  # pixels
    loss: float  # on augmented photos, label smoothing included
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


def kept_epoch(epochs: Sequence[Epoch], photos: int) -> int:
    """Choose the epoch whose network is kept; `photos` are held out.

    It is the one of the lowest loss among those whose accuracy is within a standard error of the
    highest: the loss alone is lowest before batch normalization has settled, or long before a
    network that grows too sure is at its best. Each epoch is judged by those up to it, so that
    its network need not be kept in case.

    Returns: its place among `epochs`, of which there is one or more.
    """
    kept, highest = 0, epochs[0].validation_accuracy
    for index, epoch in enumerate(epochs):
        highest = max(highest, epoch.validation_accuracy)
        enough = highest - math.sqrt(highest * (1 - highest) / photos)
        if epoch.validation_accuracy < enough:
            continue
        is_lower = epoch.validation_loss <= epochs[kept].validation_loss
        if is_lower or epochs[kept].validation_accuracy < enough:
            kept = index
    return kept
