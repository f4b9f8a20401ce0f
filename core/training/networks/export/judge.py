"""Judging a whole network on photos that it did not learn from, its confidences made true first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.probabilities import probabilities_from_logits
from core.runtime.console import Console, count_up
from core.training.data.dataset import Dataset
from core.training.data.labelled import LabelledFolder
from core.training.evaluation.calibration import choose_thresholds, fit_temperature
from core.training.evaluation.measure import Predicted, by_group, evaluate, predict_labelled
from core.training.evaluation.metrics import Evaluation, figures

VALIDATION, HELD_OUT_SOURCES, TEST = "validation", "held-out sources", "test"
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


def calibrate(manifest: Manifest, folder: Path, dataset: Dataset, console: Console) -> Judged:
    """Choose temperature and thresholds of the model in `folder`, and measure it.

    The temperature is fitted to the held-out sources, if any: new photos are more like those than
    like the photos held out. The thresholds must do for all of them.
    """
    rows = {VALIDATION: dataset.validation, HELD_OUT_SOURCES: dataset.left_out}
    classifier = Classifier(folder)
    predicted: dict[str, Predicted] = {}
    with console.progress("Calibrating", sum(map(len, rows.values()))) as told:
        one_more = count_up(told)
        for part, indices in rows.items():
            photos = [dataset.photos[index] for index in indices]
            if photos:
                predicted[part] = predict_labelled(classifier, photos, on_photo=one_more)
    unlike = predicted.get(HELD_OUT_SOURCES, predicted[VALIDATION])
    temperature = fit_temperature(unlike.logits, unlike.targets)
    predicted = {
        part: replace(own, probabilities=probabilities_from_logits(own.logits, temperature))
        for part, own in predicted.items()
    }
    thresholds = choose_thresholds(
        np.concatenate([own.probabilities for own in predicted.values()]),
        np.concatenate([own.targets for own in predicted.values()]),
        manifest.classes,
    )
    classes = tuple(
        one.with_threshold(threshold)
        for one, threshold in zip(manifest.classes, thresholds, strict=True)
    )
    manifest = replace(manifest, temperature=temperature, classes=classes)
    evaluations = {
        part: figures(own.probabilities, own.targets, classes) for part, own in predicted.items()
    }
    sources: dict[str, Evaluation] = {}
    for own in predicted.values():
        sources |= by_group(own, manifest, lambda photo: photo.source, fewest=_FEWEST_OF_SOURCE)
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
