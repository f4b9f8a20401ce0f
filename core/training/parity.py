"""Whether what is served says what the network said that was trained."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from core.classifier import Classifier
from core.preprocessing import Pixels
from core.probabilities import probabilities_from_logits
from core.training.architectures import logits_of
from core.training.dataset import Indices

_LARGEST_GAP = {16: 2e-2, 32: 1e-3}  # of the logits, by the bits of the weights
_PROBABILITY_GAP = 2e-2  # with 8 bits
_WITHIN = 0.99  # of the photos stay within it
_SAME_DECISION = 0.995  # of the photos


@dataclass(frozen=True, slots=True)
class Parity:
    """What a served model says held against what the network says that it was made from."""

    bits: int  # of the weights of its large convolutions: 8, 16 or 32
    photos: int
    largest_gap: float  # of any logit
    probability_gap: float  # of any class, that 99 of 100 photos stay within
    same_decision: float  # share of the photos with the same likeliest class
    accuracy: float  # share of the photos named right
    accuracy_before: float  # by the network

    @property
    def holds(self) -> bool:
        """Whether the model may be served."""
        if self.bits in _LARGEST_GAP:
            near = self.largest_gap <= _LARGEST_GAP[self.bits]
        else:
            near = self.probability_gap <= _PROBABILITY_GAP
        return near and self.same_decision >= _SAME_DECISION


def measure_parity(
    classifier: Classifier, network: keras.Model, photos: Pixels, targets: Indices, *, bits: int
) -> Parity:
    """Compare both on preprocessed photos: uint8 of shape `(n, size, size, 3)`, `n` above 0."""
    served = classifier.logits(photos)
    expected = logits_of(network, photos)
    named, named_before = _likeliest(served), _likeliest(expected)
    temperature = classifier.manifest.temperature
    probabilities, before = (
        probabilities_from_logits(logits, temperature) for logits in (served, expected)
    )
    gap = float(np.abs(served - expected).max())  # NaN, which compares false, never holds
    of_photos = np.abs(probabilities - before).max(axis=1)
    return Parity(
        bits=bits,
        photos=len(photos),
        largest_gap=round(gap, 6),
        probability_gap=round(float(np.quantile(of_photos, _WITHIN)), 6),
        same_decision=float((named == named_before).mean()),
        accuracy=float((named == targets).mean()),
        accuracy_before=float((named_before == targets).mean()),
    )


def _likeliest(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    if logits.shape[1] == 1:  # one sigmoid for two classes
        return (logits[:, 0] > 0).astype(np.intp)
    likeliest: npt.NDArray[np.intp] = logits.argmax(axis=1)
    return likeliest
