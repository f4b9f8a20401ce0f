"""Everything that `catdog evaluate` measures of a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.labels import Role
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.training.data.labelled import LabelledPhoto
from core.training.evaluation.measure import Measured, by_group, evaluate
from core.training.evaluation.metrics import AtThreshold, Evaluation, at_thresholds
from core.training.evaluation.variations import Pairs, Varied, measure_pairs, measure_variations

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995)
_TIMED = 40  # runs of the network


@dataclass(frozen=True, slots=True)
class Examination:
    """A model's figures on some photos, as a whole and in parts."""

    manifest: Manifest
    threshold: float | None  # that was asked for, above the model's own
    measured: Measured
    sources: dict[str, Evaluation]
    kinds: dict[str, Evaluation]  # of the photos of neither
    curve: list[AtThreshold]
    varied: dict[str, Varied]  # empty if it was not asked for
    pairs: Pairs | None
    model_bytes: int
    milliseconds: float  # of one photo on one thread, its decoding not counted: the median


def examine(
    folder: Path,
    photos: Sequence[LabelledPhoto],
    *,
    threshold: float | None = None,
    variations: bool = False,
    on_photo: Callable[[], None] = lambda: None,
) -> Examination:
    """Measure the model in `folder`; with `variations` also on photos turned, dark, small ...

    `threshold` can only raise the manifest's; `on_photo` is called once a photo, and with
    `variations` twice for those of classes that are filed. Raises as `evaluate`.
    """
    classifier = Classifier(folder)
    manifest = classifier.manifest
    measured = evaluate(classifier, photos, threshold=threshold, on_photo=on_photo)
    predicted = measured.predicted
    neither = {c.label for c in manifest.classes if c.role is Role.NEITHER}

    def kind_of_neither(photo: LabelledPhoto) -> str | None:
        return photo.kind if photo.label in neither else None

    thresholds = sorted({*THRESHOLDS, *([] if threshold is None else [threshold])})
    return Examination(
        manifest=manifest,
        threshold=threshold,
        measured=measured,
        sources=by_group(predicted, manifest, lambda photo: photo.source, threshold=threshold),
        kinds=by_group(predicted, manifest, kind_of_neither, threshold=threshold),
        curve=at_thresholds(
            predicted.probabilities, predicted.targets, manifest.classes, thresholds
        ),
        varied=measure_variations(classifier, photos, on_photo=on_photo) if variations else {},
        pairs=measure_pairs(classifier, photos, threshold=threshold) if variations else None,
        model_bytes=classifier.bytes,
        milliseconds=milliseconds(classifier),
    )


def milliseconds(classifier: Classifier) -> float:
    """Time the network on one photo and one thread: the median."""
    size = classifier.preprocessing.size
    photo = np.zeros((1, size, size, 3), dtype=np.uint8)
    taken: list[float] = []
    for _ in range(_TIMED):
        begun = time.perf_counter()
        classifier.logits(photo)
        taken.append(time.perf_counter() - begun)
    return float(np.median(taken)) * 1000
