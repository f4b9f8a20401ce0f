"""What the model sees in a photo, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from core.labels import UNSURE


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model sees in one photo."""

    label: str  # the likeliest of the manifest's
    confidence: float  # calibrated probability of `label`, 0 to 1
    probabilities: dict[str, float]  # by label, in the manifest's order; they add up to 1
    model_version: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A prediction held against a threshold."""

    prediction: Prediction
    threshold: float
    label: str  # the prediction's, or `unsure`

    @property
    def is_sure(self) -> bool:
        return self.label != UNSURE


def decide(prediction: Prediction, threshold: float) -> Decision:
    """Take the likeliest label if its probability reaches `threshold` (0 to 1)."""
    sure = prediction.confidence >= threshold
    return Decision(prediction, threshold, prediction.label if sure else UNSURE)
