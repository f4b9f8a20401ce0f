"""The figures of a model, from its probabilities for labelled photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from core.labels import PhotoClass, Role
from core.probabilities import Floats
from core.training.dataset import Indices

Flags = npt.NDArray[np.bool_]

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class fared when the likeliest class of all is taken as the answer."""

    precision: float
    recall: float
    f1: float
    support: int  # photos of this class


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's figures on some photos; shares are 0 to 1, None where there was nothing to tell.

    "Pets" here are the photos of every class that is filed, "neither" those of the others.
    """

    photos: int
    accuracy: float  # the likeliest of all classes is right
    told_apart: float | None  # of pets: the likeliest of the classes that are filed is right
    per_class: dict[str, ClassFigures]
    confusion: dict[str, dict[str, int]]  # [what it is][what it was taken for]
    ece: float  # expected calibration error, 15 bins of equal width
    threshold: float
    coverage: float | None  # of pets: filed, rightly or not
    filed_right: float | None  # of pets: filed in the right folder
    filed_precision: float | None  # of pets filed: in the right folder
    neither_filed: float | None  # of neither: filed all the same
    intervals: dict[str, tuple[float, float]]  # of the shares above: from where to where, 95 %


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What filing would come to at some threshold; shares as in Evaluation."""

    threshold: float
    coverage: float | None
    filed_precision: float | None
    neither_filed: float | None


def figures(
    probabilities: Floats, targets: Indices, classes: Sequence[PhotoClass], threshold: float
) -> Evaluation:
    """Compute an evaluation from probabilities, shape `(n, classes)`, and true classes."""
    labels = [photo_class.label for photo_class in classes]
    everything = np.arange(len(labels))
    is_filed_class = filed_classes(classes)
    guesses = probabilities.argmax(axis=1)
    right: Flags = guesses == targets
    confidence = probabilities.max(axis=1)
    is_pet = is_filed_class[targets]
    filed = confidence_to_file(probabilities, classes) >= threshold
    among_filed = np.where(is_filed_class, probabilities, -1.0).argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, guesses, labels=everything, zero_division=0.0
    )
    matrix = confusion_matrix(targets, guesses, labels=everything)
    flags: dict[str, Flags] = {
        "accuracy": right,
        "told_apart": (among_filed == targets)[is_pet],
        "coverage": filed[is_pet],
        "filed_right": (filed & right)[is_pet],
        "filed_precision": right[is_pet & filed],
        "neither_filed": filed[~is_pet],
    }
    return Evaluation(
        photos=len(targets),
        per_class={
            label: ClassFigures(float(p), float(r), float(f), int(s))
            for label, p, r, f, s in zip(labels, precision, recall, f1, support, strict=True)
        },
        confusion={
            label: dict(zip(labels, map(int, row), strict=True))
            for label, row in zip(labels, matrix, strict=True)
        },
        ece=expected_calibration_error(confidence, right),
        threshold=threshold,
        accuracy=float(right.mean()),
        told_apart=share(flags["told_apart"]),
        coverage=share(flags["coverage"]),
        filed_right=share(flags["filed_right"]),
        filed_precision=share(flags["filed_precision"]),
        neither_filed=share(flags["neither_filed"]),
        intervals={key: wilson(own) for key, own in flags.items() if len(own)},
    )


def filed_classes(classes: Sequence[PhotoClass]) -> Flags:
    """Tell of each class whether its photos are filed."""
    return np.array([photo_class.role is Role.FILE for photo_class in classes])


def confidence_to_file(probabilities: Floats, classes: Sequence[PhotoClass]) -> Floats:
    """Tell up to which threshold each photo would be filed: 0 where its likeliest class is not."""
    is_filed_class = filed_classes(classes)
    return np.where(is_filed_class[probabilities.argmax(axis=1)], probabilities.max(axis=1), 0.0)


def at_thresholds(
    probabilities: Floats,
    targets: Indices,
    classes: Sequence[PhotoClass],
    thresholds: Iterable[float],
) -> list[AtThreshold]:
    """Compute how much would be filed, and how rightly, at each of some thresholds."""
    found = (figures(probabilities, targets, classes, threshold) for threshold in thresholds)
    return [
        AtThreshold(one.threshold, one.coverage, one.filed_precision, one.neither_filed)
        for one in found
    ]


def wilson(flags: Flags) -> tuple[float, float]:
    """Compute the 95 % interval of a share: Wilson, "Probable inference", 1927.

    `flags` are the cases, one or more, of which the true ones are the share.
    """
    interval = binomtest(int(flags.sum()), len(flags)).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def expected_calibration_error(confidence: Floats, right: Flags) -> float:
    """Average the gap between confidence and accuracy over bins of equal width.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    bins = np.minimum((confidence * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def share(flags: Flags) -> float | None:
    """Compute how many of the flags are set, 0 to 1; None of no flags."""
    return float(flags.mean()) if len(flags) else None
