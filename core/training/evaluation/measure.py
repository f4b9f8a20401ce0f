"""Measuring a model on labelled photos, as it is served."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.batch import predict_photos
from core.errors import UnreadableImage, UsageRefused
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.runtime.console import Console, count_up
from core.training.data.dataset import Indices, content_hashes, fingerprint
from core.training.data.labelled import Fault, LabelledPhoto
from core.training.data.learnt_photos import learnt_from
from core.training.evaluation.metrics import Evaluation, figures

TEST = "test"  # the part that is measured last, and decides nothing


@dataclass(frozen=True, slots=True)
class Predicted:
    """Probabilities, shape `(n, classes)`, of the photos that could be read."""

    photos: tuple[LabelledPhoto, ...]
    probabilities: npt.NDArray[np.float64]
    targets: Indices
    faults: tuple[Fault, ...]

    @property
    def logits(self) -> npt.NDArray[np.float64]:
        """Logits that give these probabilities: the network's, up to a constant in each row."""
        return np.log(np.maximum(self.probabilities, 1e-300))


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation, and what it was computed from."""

    evaluation: Evaluation
    predicted: Predicted
    fingerprint: str  # of the photos that were measured
    learnt_from: int  # how many of them the model learnt from


def evaluate(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    *,
    threshold: float | None = None,
    on_photo: Callable[[], None] = lambda: None,
) -> Measured:
    """Predict labelled photos one by one, as serving does, and count.

    `threshold` can only raise the manifest's. Raises UsageRefused for labels that the model does
    not have, and if no photo can be read.
    """
    predicted = predict_labelled(classifier, photos, on_photo=on_photo)
    manifest = classifier.manifest
    evaluation = figures(predicted.probabilities, predicted.targets, manifest.classes, threshold)
    hashes = content_hashes(predicted.photos)
    return Measured(
        evaluation,
        predicted,
        fingerprint(hashes),
        learnt_from(classifier.folder, [sha256.hex() for sha256, _ in hashes]),
    )


def measure_test(folder: Path, photos: Sequence[LabelledPhoto], console: Console) -> Measured:
    """Measure the model in `folder` on test photos, with a line if it learnt from some of them."""
    with console.progress("Testing", len(photos)) as on_progress:
        measured = evaluate(Classifier(folder), photos, on_photo=count_up(on_progress))
    if measured.learnt_from:
        console.say(
            f"{measured.learnt_from} of the {measured.evaluation.photos} test photos were learnt "
            "from: their figures are too good."
        )
    return measured


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
    read: list[LabelledPhoto] = []
    rows: list[list[float]] = []
    targets: list[int] = []
    faults: list[Fault] = []
    answers = predict_photos(classifier, [photo.path for photo in photos])
    for photo, (path, outcome) in zip(photos, answers, strict=True):
        on_photo()
        if isinstance(outcome, UnreadableImage):
            faults.append(Fault(path, str(outcome)))
        else:
            read.append(photo)
            rows.append(list(outcome.probabilities.values()))
            targets.append(index_of[photo.label])
    if not rows:
        raise UsageRefused("Not one of the photos to measure can be read.")
    return Predicted(tuple(read), np.array(rows), np.array(targets, dtype=np.intp), tuple(faults))


def by_group(
    predicted: Predicted,
    manifest: Manifest,
    group_of: Callable[[LabelledPhoto], str | None],
    *,
    threshold: float | None = None,
    fewest: int = 1,
) -> dict[str, Evaluation]:
    """Evaluate each group of photos by itself, groups of fewer than `fewest` left out.

    `group_of` names a photo's group, None for photos of no group; `threshold` can only raise the
    manifest's.
    """
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, photo in enumerate(predicted.photos):
        if (group := group_of(photo)) is not None:
            rows[group].append(row)
    return {
        group: figures(
            predicted.probabilities[own],
            predicted.targets[own],
            manifest.classes,
            threshold,
        )
        for group, own in sorted(rows.items())
        if len(own) >= fewest
    }
