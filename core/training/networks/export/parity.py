"""Whether what is served says what the network said that was trained."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from core.model.classifier import Classifier
from core.model.preprocessing import Pixels
from core.training.networks.architectures import logits_of

_LARGEST_GAP = {16: 2e-2, 32: 1e-3}  # of the logits, by the bits of the weights
_SAME_DECISION = 0.995  # of the photos


@dataclass(frozen=True, slots=True)
class Parity:
    """What a served model says held against what the network says that it was made from."""

    bits: int  # of the weights: 16 or 32
    largest_gap: float  # of any logit
    same_decision: float  # share of the photos with the same likeliest class

    @property
    def holds(self) -> bool:
        """Whether the model may be served."""
        near = self.largest_gap <= _LARGEST_GAP[self.bits]  # NaN never is
        return near and self.same_decision >= _SAME_DECISION


def measure_parity(
    classifier: Classifier, network: keras.Model, photos: Pixels, *, bits: int
) -> Parity:
    """Compare both on preprocessed photos: uint8 of shape `(n, size, size, 3)`, `n` above 0."""
    served = classifier.logits(photos)
    expected = logits_of(network, photos)
    return Parity(
        bits=bits,
        largest_gap=float(np.abs(served - expected).max()),
        same_decision=float((_likeliest(served) == _likeliest(expected)).mean()),
    )


def _likeliest(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    if logits.shape[1] == 1:  # one sigmoid for two classes
        return (logits[:, 0] > 0).astype(np.intp)
    likeliest: npt.NDArray[np.intp] = logits.argmax(axis=1)
    return likeliest
