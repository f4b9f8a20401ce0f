"""A new head beside the model that serves, on photos from which neither learnt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.batch import predict_photos
from core.errors import UnreadableImage
from core.model.classifier import Classifier
from core.model.manifest import Manifest, read_manifest
from core.model.probabilities import probabilities_from_logits
from core.model.verdict import Prediction
from core.training.data.learnt_photos import short_hashes
from core.training.evaluation.comparison import Comparison, Judgement, Part, compare
from core.training.head.calibrated import CalibratedHead
from core.training.head.prepare import HeadData, unpromotable

OWN = "your photos"


def compare_with_current(data: HeadData, fitted: CalibratedHead, current: Path) -> Comparison:
    """Compare a head with the model in the folder `current`, which serves."""
    material, base = data.material, data.base
    judged = material.judged
    current_on_own = _current_on_own(data, current)
    before = base.seen.held_out[material.held_out_rows]
    known = ~np.isnan(before[:, 0])
    return compare(
        read_manifest(current).version,
        [
            Part(
                OWN,
                Judgement(current_on_own.classes, current_on_own.probabilities[judged]),
                Judgement(fitted.classes, fitted.own[judged]),
                [
                    one.label
                    for one, is_judged in zip(material.own.photos, judged, strict=True)
                    if is_judged
                ],
            ),
            Part(
                "the photos that come with catdog",
                Judgement(base.manifest.classes, before[known]),
                Judgement(fitted.classes, fitted.held_out[known]),
                material.replay.labels[material.replay.held_out][known].tolist(),
            ),
        ],
        doubtful=float(fitted.in_doubt.mean()),
        against_it=unpromotable(data.inputs, data.classes),
        other_classes=bool(data.classes.dropped),
    )


def _current_on_own(data: HeadData, current: Path) -> Judgement:
    """Return the current model's predictions of a person's photos, out of fold if learnt from."""
    base, own = data.base, data.material.own
    if current != base.folder:  # a whole network
        classifier = Classifier(current)
        answers = predict_photos(classifier, [one.path for one in own.photos])
        rows = [_row(outcome, classifier.manifest) for _, outcome in answers]
        return Judgement(classifier.manifest.classes, np.array(rows))
    logits = base.head.logits(own.views[:, 0])
    probabilities = probabilities_from_logits(logits, base.manifest.temperature)
    row_of = {int(one): row for row, one in enumerate(base.seen.hashes)}
    for row, one in enumerate(short_hashes(own.sha256)):
        if (learnt := row_of.get(int(one))) is not None:
            probabilities[row] = base.seen.probabilities[learnt]
    return Judgement(base.manifest.classes, probabilities)


def _row(outcome: Prediction | UnreadableImage, manifest: Manifest) -> Sequence[float]:
    """Return a prediction's probabilities; a photo that cannot be read any more has none."""
    if isinstance(outcome, UnreadableImage):
        return [0.0] * len(manifest.classes)
    return list(outcome.probabilities.values())
