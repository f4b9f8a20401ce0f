"""What each epoch of a training came to."""

from __future__ import annotations

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
