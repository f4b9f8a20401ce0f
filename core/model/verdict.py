"""A prediction, and the verdict that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass, Role
from core.model.probabilities import Floats


@dataclass(frozen=True, slots=True)
class Prediction:
    """How likely a photo shows each class."""

    label: str  # the likeliest of the manifest's, or what that is a kind of
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
    """Compare a prediction with the threshold of its class.

    `classes` are the manifest's; `threshold`, 0 to 1, is a person's own, which can only raise it.
    """
    (likeliest,) = (one for one in classes if one.label == prediction.label)
    is_sure = prediction.confidence >= in_effect(likeliest, threshold)
    return Verdict(_KINDS[likeliest.role] if is_sure else VerdictKind.UNSURE, prediction, likeliest)


def to_prediction(probabilities: Floats, classes: Sequence[PhotoClass], version: str) -> Prediction:
    """Return the prediction that the probabilities of a manifest's classes amount to."""
    likeliest = int(probabilities.argmax())
    (sure,) = answers(probabilities[np.newaxis], classes)
    place = likeliest if sure < 0 else int(sure)
    shown = [place] if place == likeliest else _family(classes, place)
    return Prediction(
        label=classes[place].label,
        confidence=float(probabilities[shown].sum()),
        probabilities={
            one.label: float(probability)
            for one, probability in zip(classes, probabilities, strict=True)
        },
        model_version=version,
    )


def answers(
    probabilities: Floats, classes: Sequence[PhotoClass], threshold: float | None = None
) -> npt.NDArray[np.intp]:
    """Return the verdicts on many photos at once: the place of a class for each, -1 for unsure.

    `probabilities` has the shape `(n, classes)`. Sure is the likeliest class whose probability
    reaches its threshold. Where that is a kind of another class, or has kinds, and none of them is
    sure, they count together: a photo that is Tom or another cat is a cat.
    """
    limits = np.array([in_effect(one, threshold) for one in classes])
    likeliest = probabilities.argmax(axis=1)
    rows = np.arange(len(probabilities))
    is_sure = probabilities[rows, likeliest] >= limits[likeliest]
    found = np.where(is_sure, likeliest, -1)
    for place in range(len(classes)):
        family = _family(classes, place)
        if len(family) > 1:
            together = probabilities[:, family].sum(axis=1)
            found[(found < 0) & np.isin(likeliest, family) & (together >= limits[place])] = place
    return found


def _family(classes: Sequence[PhotoClass], place: int) -> list[int]:
    """Return the places of a class and its kinds."""
    label = classes[place].label
    return [place, *(kind for kind, one in enumerate(classes) if one.parent == label)]


def in_effect(photo_class: PhotoClass, threshold: float | None) -> float:
    """Return the threshold of a class, raised to a person's own."""
    return max(photo_class.threshold, threshold or 0.0)
