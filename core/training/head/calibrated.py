"""A head with calibrated confidences, from its predictions of photos that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass
from core.model.head import Head
from core.model.probabilities import probabilities_from_logits
from core.training.evaluation.calibration import choose_thresholds, fit_temperature
from core.training.evaluation.label_errors import doubtful
from core.training.evaluation.metrics import Flags
from core.training.head.folds import fit_all, out_of_fold
from core.training.head.material import Material

_MOST_PASSES = 4  # wrong labels hide others: without them more are found


@dataclass(frozen=True, slots=True)
class Before:
    """What a training begins with and stays near."""

    head: Head
    heads: tuple[Head, ...]  # for each fold one that did not learn from its photos


@dataclass(frozen=True, slots=True)
class CalibratedHead:
    """A head, and the predictions of heads like it of photos from which they did not learn."""

    head: Head
    classes: tuple[PhotoClass, ...]  # with their thresholds
    temperature: float
    own: npt.NDArray[np.float64]  # probabilities, shape (photos, classes)
    held_out: npt.NDArray[np.float64]  # of the replay set's photos that are held out
    in_doubt: Flags  # a person's photos whose labels look wrong: they were not learnt from
    heads: tuple[Head, ...]  # those of the folds


def fit_calibrated(material: Material, before: Before) -> CalibratedHead:
    """Fit a head, and calibrate it by what it did not learn from.

    Labels that look wrong leave the fit, and thresholds are chosen with and without them: the
    stricter ones count, since some of them are right.
    """
    targets, held_out_targets = material.own.targets, material.held_out_targets
    # what is a kind of another class is hard to tell from it, and says little of all others
    is_kind = np.array([one.parent is not None for one in material.classes])[targets]
    in_doubt = np.zeros(len(targets), np.bool_)
    for _ in range(_MOST_PASSES):
        found = out_of_fold(material, before.heads, material.never_learnt | in_doubt)
        rows = material.judged & ~is_kind & ~in_doubt
        temperature = fit_temperature(
            np.concatenate([found.own[rows], found.held_out]),
            np.concatenate([targets[rows], held_out_targets]),
        )
        own = probabilities_from_logits(found.own, temperature)
        doubts = doubtful(own, targets)
        if not (doubts & ~in_doubt).any():
            break
        in_doubt |= doubts
    held_out = probabilities_from_logits(found.held_out, temperature)

    def thresholds(rows: Flags) -> tuple[float, ...]:
        return choose_thresholds(
            np.concatenate([own[rows], held_out]),
            np.concatenate([targets[rows], held_out_targets]),
            material.classes,
        )

    strictest = map(max, thresholds(material.judged), thresholds(material.judged & ~in_doubt))
    return CalibratedHead(
        head=fit_all(material, before.head, material.never_learnt | in_doubt),
        classes=tuple(
            one.with_threshold(threshold)
            for one, threshold in zip(material.classes, strictest, strict=True)
        ),
        temperature=temperature,
        own=own,
        held_out=held_out,
        in_doubt=in_doubt,
        heads=found.heads,
    )
