"""What the model before says of the photos that a new one learns from, as targets to keep to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from core.preprocessing import Pixels
from core.probabilities import probabilities_from_logits
from core.training.architectures import logits_of
from core.training.batches import Targets, Weights


def with_answers(
    batches: Iterable[tuple[Pixels, Targets, Weights]], before: keras.Model
) -> Iterator[tuple[Pixels, Targets, Weights]]:
    """Put the answers of the model before beside the targets of each batch."""
    for photos, targets, weights in batches:
        yield photos, beside_answers(targets, photos, before), weights


def beside_answers(targets: Targets, photos: Pixels, before: keras.Model) -> Targets:
    """Put the probabilities that a network gives for photos beside their targets.

    `photos` is uint8 of shape `(n, size, size, 3)`, `targets` has shape `(n, classes)`.

    Returns: shape `(n, 2 * classes)`.
    """
    answers = probabilities_from_logits(logits_of(before, photos), 1.0)
    beside: Targets = np.concatenate([targets, answers], axis=1).astype(np.float32)
    return beside
