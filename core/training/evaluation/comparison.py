"""Whether a new head may serve in the place of the current model, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.labels import PhotoClass, Role
from core.model.probabilities import Floats
from core.model.verdict import class_indices
from core.training.evaluation.label_errors import MOST_DOUBTFUL

_MOST_LOST = 0.01  # of the photos that should be filed, by the bound
_BOUND = 1.645  # standard errors: 95 %, one-sided
_MOST_MORE_FALSE = 1  # photos


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared, in a sentence, and whether it speaks for the new model."""

    speaks_for: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Filed:
    """What two models file of the same photos: the current one, then the new one."""

    name: str  # of the photos
    should: int  # photos that should be filed
    rightly: tuple[int, int]  # of those
    photos: int
    wrongly: tuple[int, int]  # of all


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new model beside the current one, on photos from which neither learnt."""

    current: str  # version
    findings: tuple[Finding, ...]
    filed: tuple[Filed, ...] = ()
    other_classes: bool = False  # classes of the current model are gone: only a person may decide

    @property
    def is_no_worse(self) -> bool:
        return all(finding.speaks_for for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model's predictions of some photos, none of which it learnt from."""

    classes: tuple[PhotoClass, ...]
    probabilities: Floats  # shape (n, its own classes)

    @property
    def filed_labels(self) -> frozenset[str]:
        return frozenset(one.label for one in self.classes if one.role is Role.FILE)

    def filed_as(self) -> list[str | None]:
        """Return the label that each photo is filed as, None for what is left."""
        labels = [one.label if one.role is Role.FILE else None for one in self.classes]
        return [
            labels[index] if index >= 0 else None
            for index in class_indices(self.probabilities, self.classes)
        ]


@dataclass(frozen=True, slots=True)
class Part:
    """Some photos with their labels, and what both models predict."""

    name: str  # "your photos"
    current: Judgement
    new: Judgement
    labels: Sequence[str]


def compare(
    version: str,
    parts: Sequence[Part],
    *,
    doubtful: float,
    against_it: Sequence[str],
    other_classes: bool,
) -> Comparison:
    """Compare a new head with the current model, whose `version` is given, on the same photos.

    `doubtful` is the share of a person's labels that look wrong, `against_it` what was known
    before anything was computed, and `other_classes` whether classes of the current model are
    gone. The loss of what is filed rightly is judged by the upper end of its one-sided 95 %
    interval, photo by photo.
    """
    findings = [Finding(False, reason) for reason in against_it]
    filed = []
    for part in parts:
        one, found = _compare_part(part)
        filed.append(one)
        findings += found
    if doubtful > MOST_DOUBTFUL:
        findings.append(
            Finding(
                False,
                f"{doubtful:.0%} of the labels look wrong, more than {MOST_DOUBTFUL:.0%}: look at "
                "them, move what lies in the wrong folder, and train again.",
            )
        )
    return Comparison(version, tuple(findings), tuple(filed), other_classes)


def _compare_part(part: Part) -> tuple[Filed, list[Finding]]:
    name, labels = part.name, part.labels
    filed_by_both = part.current.filed_labels & part.new.filed_labels
    before, after = part.current.filed_as(), part.new.filed_as()
    findings = []
    should = [row for row, label in enumerate(labels) if label in filed_by_both]
    was = np.array([before[row] == labels[row] for row in should], np.bool_)
    now = np.array([after[row] == labels[row] for row in should], np.bool_)
    if should:
        loss = was.astype(float) - now.astype(float)
        bound = float(loss.mean()) + _BOUND * float(loss.std()) / math.sqrt(len(loss))
        findings.append(
            Finding(
                bound < _MOST_LOST,
                f"Of {len(should)} of {name} that should be filed it files {now.sum()} rightly, "
                f"the current model {was.sum()} ({int((now & ~was).sum())} more, "
                f"{int((was & ~now).sum())} fewer): at most {max(0.0, bound):.1%} are lost, by the "
                "one-sided 95 % bound.",
            )
        )
    # a photo of an added class may still lie with what it was before: that is no new harm
    counted = filed_by_both | {one.label for one in part.new.classes if one.role is not Role.FILE}
    rows = [row for row, label in enumerate(labels) if label in counted]
    wrong_before = sum(before[row] not in (None, labels[row]) for row in rows)
    wrong_after = sum(after[row] not in (None, labels[row]) for row in rows)
    findings.append(
        Finding(
            wrong_after <= wrong_before + _MOST_MORE_FALSE,
            f"Of all {len(rows)} of {name} it files {wrong_after} as what they are not, the "
            f"current model {wrong_before}.",
        )
    )
    rightly = (int(was.sum()), int(now.sum()))
    return Filed(name, len(should), rightly, len(rows), (wrong_before, wrong_after)), findings
