"""Judging a model on photos that it did not learn from, its confidences made true first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from core.classifier import Classifier
from core.console import Console, count_up
from core.manifest import Manifest
from core.probabilities import probabilities_from_logits
from core.training.calibrate import choose_threshold, files_too_much, fit_temperature
from core.training.compare import ENOUGH
from core.training.dataset import Dataset
from core.training.evaluate import Predicted, by_group, evaluate, predict_labelled
from core.training.figures import Evaluation, figures, filed_classes
from core.training.labelled import LabelledFolder
from core.training.sources import source_of

VALIDATION, LEFT_OUT, TEST = "validation", "left out", "test"
_FEWEST_OF_SOURCE = 10  # photos from which on figures say anything


@dataclass(frozen=True, slots=True)
class Judged:
    """A model's manifest, calibrated and with its figures, and what they were computed from."""

    manifest: Manifest
    predicted: Mapping[str, Predicted]  # by part
    evaluations: Mapping[str, Evaluation]
    sources: Mapping[str, Evaluation]  # of photos that are not the test's

    @property
    def last(self) -> str:
        """The part that says most: the test, if there was one, else the photos held out."""
        return TEST if TEST in self.predicted else VALIDATION


def calibrate(
    manifest: Manifest,
    folder: Path,
    dataset: Dataset,
    console: Console,
    *,
    before: Manifest | None = None,
) -> Judged:
    """Choose temperature and threshold of the model in `folder`, and measure it.

    The temperature is fitted to the sources left out, if any: new photos are more like those than
    like the photos held out. The threshold must do for all of them, by source. Of a model that
    went on from one with the manifest `before`, few photos change neither: below ENOUGH in all the
    temperature stays, and so does the threshold unless it is plainly too low; below ENOUGH of
    neither the threshold does not fall.
    """
    rows = {VALIDATION: dataset.validation, LEFT_OUT: dataset.left_out}
    classifier = Classifier(folder)
    predicted: dict[str, Predicted] = {}
    with console.progress("Calibrating", sum(map(len, rows.values()))) as told:
        one_more = count_up(told)
        for part, indices in rows.items():
            photos = [dataset.photos[index] for index in indices]
            if photos:
                predicted[part] = predict_labelled(classifier, photos, on_photo=one_more)
    unlike = predicted.get(LEFT_OUT, predicted[VALIDATION])
    temperature = round(fit_temperature(unlike.logits, unlike.targets), 4)
    if before is not None and before.classes != manifest.classes:
        before = None
    few = len(unlike.targets) < ENOUGH
    if before is not None and few:
        temperature = before.temperature
    predicted = {
        part: replace(own, probabilities=probabilities_from_logits(own.logits, temperature))
        for part, own in predicted.items()
    }
    probabilities = np.concatenate([own.probabilities for own in predicted.values()])
    targets = np.concatenate([own.targets for own in predicted.values()])
    threshold = choose_threshold(
        probabilities,
        targets,
        manifest.classes,
        [source_of(photo.path) for own in predicted.values() for photo in own.photos],
    )
    neither = ~filed_classes(manifest.classes)
    if before is not None:
        at = before.threshold
        if few and not files_too_much(probabilities, targets, manifest.classes, at):
            threshold = at
        elif neither[unlike.targets].sum() < ENOUGH:
            threshold = max(threshold, at)
    manifest = replace(manifest, temperature=temperature, threshold=threshold)
    evaluations = {
        part: figures(own.probabilities, own.targets, manifest.classes, threshold)
        for part, own in predicted.items()
    }
    sources: dict[str, Evaluation] = {}
    for own in predicted.values():
        sources |= by_group(own, manifest, source_of, fewest=_FEWEST_OF_SOURCE)
    return Judged(_with_metrics(manifest, evaluations), predicted, evaluations, sources)


def judge_by(judged: Judged, folder: Path, tested: LabelledFolder, console: Console) -> Judged:
    """Measure the model in `folder` on test photos: last, and once."""
    with console.progress("Testing", len(tested.photos)) as told:
        measured = evaluate(Classifier(folder), tested.photos, on_photo=count_up(told))
    evaluations = {**judged.evaluations, TEST: measured.evaluation}
    return replace(
        judged,
        manifest=_with_metrics(judged.manifest, evaluations),
        predicted={**judged.predicted, TEST: measured.predicted},
        evaluations=evaluations,
    )


def _with_metrics(manifest: Manifest, evaluations: Mapping[str, Evaluation]) -> Manifest:
    return replace(manifest, metrics={part: asdict(one) for part, one in evaluations.items()})
