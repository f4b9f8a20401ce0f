"""Measures a model on labelled photos, as it is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from core.classifier import Classifier
from core.errors import UnreadableImage, UsageRefused
from core.inference import predict_photos
from core.labels import PhotoClass, Role
from core.probabilities import Floats
from core.training.dataset import Fault, Indices, LabelledPhoto, fingerprint

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
    filed_precision: float | None  # of pets filed: in the right folder
    neither_filed: float | None  # of neither: filed all the same


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation, and the files that had no part in it."""

    evaluation: Evaluation
    faults: tuple[Fault, ...]
    fingerprint: str  # of the photos that were measured


@dataclass(frozen=True, slots=True)
class Predicted:
    """Probabilities, shape `(n, classes)`, of the photos that could be read."""

    probabilities: npt.NDArray[np.float64]
    targets: Indices
    faults: tuple[Fault, ...]


def evaluate(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    *,
    threshold: float | None = None,
    on_photo: Callable[[], None] = lambda: None,
) -> Measured:
    """Predict labelled photos one by one, as serving does, and count.

    `threshold` defaults to the manifest's. Raises UsageRefused for labels that the model does
    not have, and if no photo can be read.
    """
    predicted = predict_labelled(classifier, photos, on_photo=on_photo)
    manifest = classifier.manifest
    evaluation = figures(
        predicted.probabilities,
        predicted.targets,
        manifest.classes,
        manifest.threshold if threshold is None else threshold,
    )
    skipped = {fault.path for fault in predicted.faults}
    measured = [photo for photo in photos if photo.path not in skipped]
    return Measured(evaluation, predicted.faults, fingerprint(measured))


def predict_labelled(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    *,
    on_photo: Callable[[], None] = lambda: None,
) -> Predicted:
    """Predict labelled photos one by one, as serving does. Raises as `evaluate`."""
    manifest = classifier.manifest
    index_of = {label: index for index, label in enumerate(manifest.labels)}
    unknown = {photo.label for photo in photos} - set(index_of)
    if unknown:
        raise UsageRefused(
            f"The model {manifest.version} knows {', '.join(manifest.labels)}, not "
            f"{', '.join(sorted(unknown))}. Take that folder away, or choose another model."
        )
    rows: list[list[float]] = []
    targets: list[int] = []
    faults: list[Fault] = []
    answers = predict_photos(classifier, [photo.path for photo in photos])
    for photo, answer in zip(photos, answers, strict=True):
        on_photo()
        if isinstance(answer.outcome, UnreadableImage):
            faults.append(Fault(answer.path, str(answer.outcome)))
        else:
            rows.append(list(answer.outcome.probabilities.values()))
            targets.append(index_of[photo.label])
    if not rows:
        raise UsageRefused("Not one of the photos to measure can be read.")
    return Predicted(np.array(rows), np.array(targets, dtype=np.intp), tuple(faults))


def figures(
    probabilities: Floats, targets: Indices, classes: Sequence[PhotoClass], threshold: float
) -> Evaluation:
    """Compute an evaluation from probabilities, shape `(n, classes)`, and true classes."""
    labels = [photo_class.label for photo_class in classes]
    everything = np.arange(len(labels))
    is_filed_class = np.array([photo_class.role is Role.FILE for photo_class in classes])
    guesses = probabilities.argmax(axis=1)
    right: npt.NDArray[np.bool_] = guesses == targets
    confidence = probabilities.max(axis=1)
    is_pet = is_filed_class[targets]
    filed = (confidence >= threshold) & is_filed_class[guesses]
    among_filed = np.where(is_filed_class, probabilities, -1.0).argmax(axis=1)
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, guesses, labels=everything, zero_division=0.0
    )
    matrix = confusion_matrix(targets, guesses, labels=everything)
    return Evaluation(
        photos=len(targets),
        accuracy=float(right.mean()),
        told_apart=_share((among_filed == targets)[is_pet]),
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
        coverage=_share(filed[is_pet]),
        filed_precision=_share(right[is_pet & filed]),
        neither_filed=_share(filed[~is_pet]),
    )


def expected_calibration_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Average the gap between confidence and accuracy over bins of equal width.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
    """
    bins = np.minimum((confidence * ECE_BINS).astype(np.intp), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _share(flags: npt.NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None
