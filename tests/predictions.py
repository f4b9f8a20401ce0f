"""Predictions as a model would make them, for tests of what follows from one."""

from __future__ import annotations

from collections.abc import Sequence

from core.labels import PhotoClass
from core.model.verdict import Prediction


def predicted(label: str, confidence: float, classes: Sequence[PhotoClass]) -> Prediction:
    """Make a prediction of a class; what is left of the probability is shared by the others."""
    rest = (1 - confidence) / max(1, len(classes) - 1)
    shares = {one.label: confidence if one.label == label else rest for one in classes}
    return Prediction(label, confidence, shares, "v1")
