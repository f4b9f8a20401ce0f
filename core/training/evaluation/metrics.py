"""The figures of a model, from its probabilities for labelled photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from core.labels import UNSURE, PhotoClass, Role
from core.model.probabilities import Floats
from core.model.verdict import class_indices, in_effect
from core.training.data.dataset import Indices

Flags = npt.NDArray[np.bool_]

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The figures of one class, with the likeliest class of all as the answer."""

    precision: float | None  # None where nothing was taken for it
    recall: float | None  # None where there is no photo of it
    f1: float | None
    support: int  # photos of this class


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's figures on some photos; shares are 0 to 1, None where there are no photos.

    "Pets" here are the photos of every class that is filed.
    """

    photos: int
    accuracy: float  # the likeliest of all classes is right
    pet_accuracy: float | None  # of pets: the likeliest of the classes that are filed is right
    per_class: dict[str, ClassFigures]
    confusion: dict[str, dict[str, int]]  # [what it is][what it was taken for]
    verdicts: dict[str, dict[str, int]]  # [what it is][the answer at the thresholds, or unsure]
    loss: float  # cross-entropy of the calibrated probabilities, in nats
    ece: float  # expected calibration error, 15 bins of equal width
    thresholds: dict[str, float]  # by label
    coverage: float | None  # of pets: filed, rightly or not
    filed_rightly: float | None  # of pets: filed in the right folder
    filed_precision: float | None  # of pets filed: in the right folder
    false_filing_rate: float | None  # of neither: filed all the same
    intervals: dict[str, tuple[float, float]]  # of the shares above: from where to where, 95 %


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What filing would come to at one threshold for all classes; shares as in Evaluation."""

    threshold: float
    coverage: float | None
    filed_precision: float | None
    false_filing_rate: float | None


def figures(
    probabilities: Floats,
    targets: Indices,
    classes: Sequence[PhotoClass],
    threshold: float | None = None,
) -> Evaluation:
    """Compute an evaluation from probabilities, shape `(n, classes)`, and true classes.

    `threshold` can only raise those of the classes.
    """
    labels = [photo_class.label for photo_class in classes]
    roles = np.array([one.role for one in classes])
    is_filed_class: Flags = roles == Role.FILE
    limits = [in_effect(one, threshold) for one in classes]
    likeliest = probabilities.argmax(axis=1)
    right: Flags = likeliest == targets
    answered = class_indices(probabilities, classes, threshold)
    is_pet: Flags = is_filed_class[targets]
    is_neither: Flags = roles[targets] == Role.NEITHER
    filed: Flags = (answered >= 0) & is_filed_class[answered]
    filed_right: Flags = filed & (answered == targets)
    among_filed = np.where(is_filed_class, probabilities, -1.0).argmax(axis=1)
    answered_or_unsure = np.where(answered >= 0, answered, len(labels))
    flags: dict[str, Flags] = {
        "accuracy": right,
        "pet_accuracy": (among_filed == targets)[is_pet],
        "coverage": filed[is_pet],
        "filed_rightly": filed_right[is_pet],
        "filed_precision": filed_right[is_pet & filed],
        "false_filing_rate": filed[is_neither],
    }
    return Evaluation(
        photos=len(targets),
        per_class=_per_class(targets, likeliest, labels),
        confusion=_table(targets, likeliest, labels),
        verdicts=_table(targets, answered_or_unsure, [*labels, UNSURE]),
        loss=float(
            -np.log(np.maximum(probabilities[np.arange(len(targets)), targets], 1e-12)).mean()
        ),
        ece=expected_calibration_error(probabilities.max(axis=1), right),
        thresholds=dict(zip(labels, map(float, limits), strict=True)),
        accuracy=float(right.mean()),
        pet_accuracy=share(flags["pet_accuracy"]),
        coverage=share(flags["coverage"]),
        filed_rightly=share(flags["filed_rightly"]),
        filed_precision=share(flags["filed_precision"]),
        false_filing_rate=share(flags["false_filing_rate"]),
        intervals={key: wilson(own) for key, own in flags.items() if len(own)},
    )


def _per_class(
    targets: Indices, likeliest: Indices, labels: Sequence[str]
) -> dict[str, ClassFigures]:
    columns = precision_recall_fscore_support(
        targets, likeliest, labels=np.arange(len(labels)), zero_division=np.nan
    )

    def number(share: float) -> float | None:
        return None if np.isnan(share) else float(share)

    return {
        label: ClassFigures(number(precision), number(recall), number(f1), int(support))
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    }


def _table(
    targets: Indices, answered: Indices, columns: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count the photos of each class by answer; `unsure`, a last column, is no class."""
    matrix = confusion_matrix(targets, answered, labels=np.arange(len(columns)))
    rows = [label for label in columns if label != UNSURE]
    return {
        label: dict(zip(columns, map(int, row), strict=True))
        for label, row in zip(rows, matrix, strict=False)
    }


def at_thresholds(
    probabilities: Floats,
    targets: Indices,
    classes: Sequence[PhotoClass],
    thresholds: Iterable[float],
) -> list[AtThreshold]:
    """Compute how much would be filed, and how rightly, at each of some thresholds."""
    curve = []
    for threshold in thresholds:
        alike = [one.with_threshold(threshold) for one in classes]
        one = figures(probabilities, targets, alike)
        curve.append(
            AtThreshold(threshold, one.coverage, one.filed_precision, one.false_filing_rate)
        )
    return curve


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
    """Compute the share of the flags that are set, 0 to 1; None where there are none."""
    return float(flags.mean()) if len(flags) else None
