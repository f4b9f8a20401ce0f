"""Whether a new model may serve in the place of the current one, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from core.labels import Role
from core.manifest import Manifest
from core.probabilities import Floats
from core.training.calibrate import FILED_PRECISION, NEITHER_FILED
from core.training.dataset import Indices
from core.training.figures import Flags, figures

ENOUGH = 200  # photos from which on those held out are enough to tell
FEWEST = 50  # photos below which nothing can be told
_FEWEST_OF_NEITHER = 30
_ECE_RISE = 0.02  # that much of the error is noise on a few hundred photos


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says of some photos, and from which confidence on it files them."""

    probabilities: Floats  # shape (n, classes)
    threshold: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence, and whether it speaks for the new model."""

    speaks_for: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new model beside the current one, on photos from which neither learnt."""

    current: str  # version
    findings: tuple[Finding, ...]
    other_classes: bool = False  # or none for what is neither: only a person may decide

    @property
    def is_no_worse(self) -> bool:
        return all(finding.speaks_for for finding in self.findings)


def not_comparable(current: Manifest, new: Manifest) -> Comparison | None:
    """Tell why two models cannot be compared, None if they can."""
    if new.classes != current.classes:
        sentence = (
            f"It has the classes {', '.join(new.labels)}; the current model has "
            f"{', '.join(current.labels)}."
        )
    elif all(photo_class.role is Role.FILE for photo_class in new.classes):
        sentence = "It has no class for what is neither, and would file every photo."
    else:
        return None
    return Comparison(current.version, (Finding(False, sentence),), other_classes=True)


def compare(
    manifest: Manifest,
    current: Judgement,
    new: Judgement,
    targets: Indices,
    rejected: Judgement | None = None,
) -> Comparison:
    """Compare a new model with the current one, whose `manifest` is given, on the same photos.

    `targets` are the classes that the photos are of. `rejected` is what the new model says of
    photos that the current one takes for neither: they stand in where none of `targets` is
    neither. McNemar, "Note on the sampling error of the difference between correlated
    proportions", 1947; the exact test.
    """
    if len(targets) < FEWEST:
        few = Finding(
            False,
            f"{len(targets)} photos from which neither model learnt are too few to tell: "
            f"{FEWEST} are the least.",
        )
        return Comparison(manifest.version, (few,))
    is_filed_class = np.array([one.role is Role.FILE for one in manifest.classes])
    is_pet = is_filed_class[targets]
    pets = " and ".join(one.folder for one in manifest.classes if one.role is Role.FILE)
    findings = [
        _errors(current, new, targets, is_pet, pets),
        _misfiled(current, new, targets, is_pet, is_filed_class, pets),
        _rejection(current, new, is_pet, is_filed_class, rejected),
        _calibration(manifest, current, new, targets),
    ]
    return Comparison(manifest.version, tuple(findings))


def _errors(
    current: Judgement, new: Judgement, targets: Indices, is_pet: Flags, pets: str
) -> Finding:
    if not is_pet.any():
        return Finding(False, f"There is no photo of {pets} to compare by.")
    wrong_now = (current.probabilities.argmax(axis=1) != targets)[is_pet]
    wrong_then = (new.probabilities.argmax(axis=1) != targets)[is_pet]
    worse = int((wrong_then & ~wrong_now).sum())
    better = int((wrong_now & ~wrong_then).sum())
    p = binomtest(worse, worse + better).pvalue if worse + better else 1.0
    return Finding(
        worse <= better,
        f"Of {is_pet.sum()} photos of {pets} it names {wrong_then.sum()} wrongly, the current "
        f"model {wrong_now.sum()}: {better} are right now that were not, {worse} the other way "
        f"round (McNemar's test: p = {p:.2g}).",
    )


def _misfiled(
    current: Judgement,
    new: Judgement,
    targets: Indices,
    is_pet: Flags,
    is_filed_class: Flags,
    pets: str,
) -> Finding:
    def count(judgement: Judgement) -> tuple[int, int]:
        filed = _filed(judgement, is_filed_class) & is_pet
        wrong = filed & (judgement.probabilities.argmax(axis=1) != targets)
        return int(wrong.sum()), int(filed.sum())

    wrong_now, filed_now = count(current)
    wrong_then, filed_then = count(new)
    return Finding(
        wrong_then <= max(wrong_now, (1 - FILED_PRECISION) * filed_then),
        f"At its threshold it files {filed_then} of these, {wrong_then} of them in a wrong "
        f"folder; the current model files {filed_now}, {wrong_now} of them wrongly.",
    )


def _rejection(
    current: Judgement,
    new: Judgement,
    is_pet: Flags,
    is_filed_class: Flags,
    rejected: Judgement | None,
) -> Finding:
    neither = ~is_pet
    if neither.sum() >= _FEWEST_OF_NEITHER:
        number = int(neither.sum())
        filed_now = int((_filed(current, is_filed_class) & neither).sum())
        filed_then = int((_filed(new, is_filed_class) & neither).sum())
        return Finding(
            filed_then <= max(filed_now, NEITHER_FILED * number),
            f"Of {number} photos of neither it would file {filed_then}, the current model "
            f"{filed_now}.",
        )
    if rejected is not None and len(rejected.probabilities) >= _FEWEST_OF_NEITHER:
        number = len(rejected.probabilities)
        filed = int(_filed(rejected, is_filed_class).sum())
        return Finding(
            filed <= NEITHER_FILED * number,
            f"Of {number} photos that the current model takes for neither it would file {filed}.",
        )
    return Finding(
        False,
        "Whether it still leaves alone what is neither cannot be told: there are not "
        f"{_FEWEST_OF_NEITHER} such photos among those that were compared, nor among those that "
        "sorting left. Add other/ with a few hundred photos of anything else.",
    )


def _calibration(
    manifest: Manifest, current: Judgement, new: Judgement, targets: Indices
) -> Finding:
    now, then = (
        figures(one.probabilities, targets, manifest.classes, one.threshold).ece
        for one in (current, new)
    )
    return Finding(
        then <= now + _ECE_RISE,
        f"Its confidences are {then:.1%} off on average, the current model's {now:.1%} (expected "
        "calibration error).",
    )


def _filed(judgement: Judgement, is_filed_class: Flags) -> Flags:
    filed: Flags = (judgement.probabilities.max(axis=1) >= judgement.threshold) & is_filed_class[
        judgement.probabilities.argmax(axis=1)
    ]
    return filed
