"""Calibrating a whole network, and measuring it on photos that it did not learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.probabilities import probabilities_from_logits
from core.runtime.console import count_up
from core.training.evaluation.calibration import choose_thresholds, fit_temperature
from core.training.evaluation.measure import (
    TEST,
    Predicted,
    by_group,
    measure_test,
    predict_labelled,
)
from core.training.evaluation.metrics import Evaluation, figures
from core.training.networks.run import Run

VALIDATION, HELD_OUT_SOURCES = "validation", "held-out sources"
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


def judge(run: Run, manifest: Manifest) -> Judged:
    """Choose temperature and thresholds of a run's staged model, and measure it: on the test last.

    The temperature is fitted to the held-out sources, if any: new photos are more like those than
    like the photos held out. The thresholds must do for all of them.
    """
    predicted = _predict(run)
    fitted_to = predicted.get(HELD_OUT_SOURCES, predicted[VALIDATION])
    temperature = fit_temperature(fitted_to.logits, fitted_to.targets)
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
    if run.tested is not None:
        manifest.write(run.staged)
        measured = measure_test(run.staged, run.tested.photos, run.console)
        predicted[TEST], evaluations[TEST] = measured.predicted, measured.evaluation
    metrics = {part: asdict(one) for part, one in evaluations.items()}
    manifest = replace(manifest, metrics=metrics)
    manifest.write(run.staged)
    return Judged(manifest, predicted, evaluations, sources)


def _predict(run: Run) -> dict[str, Predicted]:
    """Predict the photos that were not learnt from, by part."""
    dataset = run.dataset
    parts = {VALIDATION: dataset.validation, HELD_OUT_SOURCES: dataset.of_held_out_sources}
    classifier = Classifier(run.staged)
    with run.console.progress("Calibrating", sum(map(len, parts.values()))) as on_progress:
        one_more = count_up(on_progress)
        return {
            part: predict_labelled(
                classifier, [dataset.photos[row] for row in rows], on_photo=one_more
            )
            for part, rows in parts.items()
            if len(rows)
        }
