"""A prediction, and the verdict that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass, Role
from core.model.probabilities import Floats


@dataclass(frozen=True, slots=True)
class Prediction:
    """How likely a photo shows each class."""

    label: str  # the likeliest class, or its parent where only both together are sure
    confidence: float  # calibrated probability of `label`, its kinds included, 0 to 1
    probabilities: dict[str, float]  # by label, in the manifest's order; they add up to 1
    model_version: str


class VerdictKind(StrEnum):
    """What may be done with a photo."""

    FILED = "filed"  # into the folder of its class
    BOTH = "both"  # it shows more than one of the classes that are filed
    NEITHER = "neither"
    UNSURE = "unsure"


_KINDS = {
    Role.FILE: VerdictKind.FILED,
    Role.NEITHER: VerdictKind.NEITHER,
    Role.BOTH: VerdictKind.BOTH,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a prediction."""

    kind: VerdictKind
    prediction: Prediction
    likeliest: PhotoClass  # what the photo shows, or most likely shows

    @property
    def is_sure(self) -> bool:
        return self.kind is not VerdictKind.UNSURE

    @property
    def label(self) -> str:
        """What the photo shows, or `unsure`."""
        return self.likeliest.label if self.is_sure else self.kind.value


def judge(
    prediction: Prediction, classes: Sequence[PhotoClass], threshold: float | None = None
) -> Verdict:
    """Compare a prediction with the thresholds of its classes.

    `classes` are the manifest's; `threshold`, 0 to 1, is a person's own, which can only raise them.
    """
    probabilities = np.array([prediction.probabilities[one.label] for one in classes])
    (index,) = class_indices(probabilities[np.newaxis], classes, threshold)
    if index < 0:
        (likeliest,) = (one for one in classes if one.label == prediction.label)
        return Verdict(VerdictKind.UNSURE, prediction, likeliest)
    shown = classes[index]
    if shown.label != prediction.label:  # sure only together with its kinds
        confidence = _confidence(probabilities, classes, int(index))
        prediction = replace(prediction, label=shown.label, confidence=confidence)
    return Verdict(_KINDS[shown.role], prediction, shown)


def to_prediction(probabilities: Floats, classes: Sequence[PhotoClass], version: str) -> Prediction:
    """Return the prediction that the probabilities of a manifest's classes amount to."""
    (sure,) = class_indices(probabilities[np.newaxis], classes)
    index = int(probabilities.argmax()) if sure < 0 else int(sure)
    return Prediction(
        label=classes[index].label,
        confidence=_confidence(probabilities, classes, index),
        probabilities={
            one.label: float(probability)
            for one, probability in zip(classes, probabilities, strict=True)
        },
        model_version=version,
    )


def class_indices(
    probabilities: Floats, classes: Sequence[PhotoClass], threshold: float | None = None
) -> npt.NDArray[np.intp]:
    """Return the index of the class that each photo is sure to show, -1 for unsure.

    `probabilities` has the shape `(n, classes)`. A photo shows its likeliest class if that reaches
    its threshold. If not, and the class has a parent or kinds, the probabilities of the parent and
    all its kinds are added up, and it shows the parent if the sum reaches the parent's threshold:
    a photo that is Tom or another cat is a cat.
    """
    limits = np.array([in_effect(one, threshold) for one in classes])
    likeliest = probabilities.argmax(axis=1)
    rows = np.arange(len(probabilities))
    is_sure = probabilities[rows, likeliest] >= limits[likeliest]
    found = np.where(is_sure, likeliest, -1)
    for index in range(len(classes)):
        family = _family(classes, index)
        if len(family) > 1:
            together = probabilities[:, family].sum(axis=1)
            found[(found < 0) & np.isin(likeliest, family) & (together >= limits[index])] = index
    return found


def _confidence(probabilities: Floats, classes: Sequence[PhotoClass], index: int) -> float:
    """Return the probability of the likeliest class, or of another one with its kinds."""
    is_likeliest = index == int(probabilities.argmax())
    return float(probabilities[index if is_likeliest else _family(classes, index)].sum())


def _family(classes: Sequence[PhotoClass], index: int) -> list[int]:
    """Return the indices of a class and its kinds."""
    label = classes[index].label
    return [index, *(kind for kind, one in enumerate(classes) if one.parent == label)]


def in_effect(photo_class: PhotoClass, threshold: float | None) -> float:
    """Return the threshold of a class, raised to a person's own."""
    return max(photo_class.threshold, threshold or 0.0)
