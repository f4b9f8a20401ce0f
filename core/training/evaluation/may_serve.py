"""Whether a new head may serve in the place of the current model, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass, Role
from core.model.probabilities import Floats
from core.model.verdict import answers
from core.training.evaluation.comparison import Comparison, Filed, Finding
from core.training.evaluation.label_errors import MOST

_MOST_LOST = 0.01  # of the photos that should be filed, by the bound
_BOUND = 1.645  # standard errors: 95 %, one-sided
_MOST_MORE_FALSE = 1  # photos

Flags = npt.NDArray[np.bool_]
Targets = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says of some photos, none of which it learnt from."""

    classes: tuple[PhotoClass, ...]
    probabilities: Floats  # shape (n, its own classes)

    def folders(self) -> list[str | None]:
        """Name the class that each photo is filed as, None for what is left."""
        given = (
            self.classes[place] if place >= 0 else None
            for place in answers(self.probabilities, self.classes)
        )
        return [one.label if one is not None and one.role is Role.FILE else None for one in given]


@dataclass(frozen=True, slots=True)
class Part:
    """Some photos, and what both models say of them."""

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
        one, found = _of_part(part.name, part.current, part.new, part.labels)
        filed.append(one)
        findings += found
    if doubtful > MOST:
        findings.append(
            Finding(
                False,
                f"{doubtful:.0%} of the labels look wrong, more than {MOST:.0%}: look at them, "
                "move what lies in the wrong folder, and train again.",
            )
        )
    return Comparison(version, tuple(findings), tuple(filed), other_classes)


def _of_part(
    name: str, current: Judgement, new: Judgement, labels: Sequence[str]
) -> tuple[Filed, list[Finding]]:
    known = {one.label for one in current.classes if one.role is Role.FILE}
    kept = {one.label for one in new.classes if one.role is Role.FILE}
    before, after = current.folders(), new.folders()
    findings = []
    should = [row for row, label in enumerate(labels) if label in known & kept]
    rightly = (0, 0)
    if should:
        was = np.array([before[row] == labels[row] for row in should])
        now = np.array([after[row] == labels[row] for row in should])
        rightly = (int(was.sum()), int(now.sum()))
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
    counted = {one.label for one in new.classes if one.role is not Role.FILE} | (known & kept)
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
    return Filed(name, len(should), rightly, len(rows), (wrong_before, wrong_after)), findings
