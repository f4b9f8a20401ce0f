"""A head's answers to photos that it did not learn from, with confidences that are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass
from core.model.head import Head
from core.model.probabilities import Floats, probabilities_from_logits
from core.training.evaluation.calibration import choose_thresholds, fit_temperature
from core.training.evaluation.label_errors import doubtful
from core.training.head.folds import Material, OutOfFold, fit_all, out_of_fold

_MOST_PASSES = 4  # wrong labels hide others: without them more are seen

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Before:
    """What a training begins with and stays near."""

    head: Head
    heads: tuple[Head, ...]  # for each fold one that did not learn from its photos


@dataclass(frozen=True, slots=True)
class CalibratedHead:
    """A head, and what heads like it say of photos from which they did not learn."""

    head: Head
    classes: tuple[PhotoClass, ...]  # with their thresholds
    temperature: float
    own: npt.NDArray[np.float64]  # probabilities, shape (photos, classes)
    held_out: npt.NDArray[np.float64]  # of the replay set's photos that are held out
    in_doubt: Flags  # a person's photos whose labels look wrong: they were not learnt from
    heads: tuple[Head, ...]  # those of the folds


def fit_calibrated(
    material: Material,
    before: Before,
    classes: Sequence[PhotoClass],
    *,
    never_learnt: Flags,
    judged: Flags,
) -> CalibratedHead:
    """Fit a head, and calibrate it by what it did not learn from.

    Photos that are `never_learnt` are judged alone; only those that are `judged` count for
    calibration. Labels that look wrong leave the fit, and thresholds are chosen with and without
    them: the stricter ones count, since some of them are right.
    """
    targets, held_targets = _targets(material)
    # what is a kind of another class is hard to tell from it, and says little of all others
    is_kind = np.array([one.parent is not None for one in classes])[targets]
    in_doubt = np.zeros(len(targets), np.bool_)
    for _ in range(_MOST_PASSES):
        found = out_of_fold(material, before.heads, never_learnt | in_doubt)
        rows = judged & ~is_kind & ~in_doubt
        temperature = _temperature(found, targets, held_targets, rows)
        doubts = doubtful(probabilities_from_logits(found.own, temperature), targets)
        if not (doubts & ~in_doubt).any():
            break
        in_doubt |= doubts
    own = probabilities_from_logits(found.own, temperature)
    held_out = probabilities_from_logits(found.held_out, temperature)

    def thresholds(rows: Flags) -> npt.NDArray[np.float64]:
        probabilities = np.concatenate([own[rows], held_out])
        labels = np.concatenate([targets[rows], held_targets])
        return np.array(choose_thresholds(probabilities, labels, classes))

    strictest = np.maximum(thresholds(judged), thresholds(judged & ~in_doubt))
    return CalibratedHead(
        head=fit_all(material, before.head, never_learnt | in_doubt),
        classes=tuple(
            one.with_threshold(float(threshold))
            for one, threshold in zip(classes, strictest, strict=True)
        ),
        temperature=temperature,
        own=own,
        held_out=held_out,
        in_doubt=in_doubt,
        heads=found.heads,
    )


def _targets(material: Material) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    own = np.zeros(0, np.intp) if material.own is None else material.own.targets
    return own, material.replay_targets[material.held_out]


def _temperature(
    found: OutOfFold,
    targets: npt.NDArray[np.intp],
    held_targets: npt.NDArray[np.intp],
    rows: Flags,
) -> float:
    logits: Floats = np.concatenate([found.own[rows], found.held_out])
    return fit_temperature(logits, np.concatenate([targets[rows], held_targets]))
