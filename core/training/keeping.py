"""What a new model is to answer so that it keeps what the model before knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from core.preprocessing import Pixels
from core.probabilities import Floats, probabilities_from_logits
from core.training.architectures import logits_of
from core.training.batches import Targets, Weights


def with_answers(
    batches: Iterable[tuple[Pixels, Targets, Weights]], before: keras.Model
) -> Iterator[tuple[Pixels, Targets, Weights]]:
    """Put corrected answers of the model before beside the targets of each batch."""
    for photos, targets, weights in batches:
        yield photos, beside_answers(targets, photos, before), weights


def beside_answers(targets: Targets, photos: Pixels, before: keras.Model) -> Targets:
    """Put the corrected answers of a network beside the targets of photos.

    `photos` is uint8 of shape `(n, size, size, 3)`, `targets` has shape `(n, classes)`.

    Returns: shape `(n, 2 * classes)`.
    """
    said = probabilities_from_logits(logits_of(before, photos, exactly=False), 1.0)
    beside: Targets = np.concatenate([targets, corrected(said, targets)], axis=1).astype(np.float32)
    return beside


def corrected(answers: Floats, labels: Targets) -> Floats:
    """Give a photo's label the highest of its probabilities, and that class the label's.

    Answers that are right stay, so that nothing is learnt where there is nothing to learn. So does
    what is said of pairs, which have two labels. Wen et al., "Preparing lessons: improve knowledge
    distillation with better supervision", 2021.

    Both have shape `(n, classes)`; so has the result.
    """
    answers = answers.copy()
    rows = np.flatnonzero(labels.max(axis=1) == 1)
    said, label = answers[rows].argmax(axis=1), labels[rows].argmax(axis=1)
    answers[rows, said], answers[rows, label] = answers[rows, label], answers[rows, said]
    return answers
