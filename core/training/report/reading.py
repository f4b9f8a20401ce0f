"""What a training's curves say, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from core.training.history import Epoch

_RISEN = 1.05  # of the lowest held-out loss: above it the rise is more than noise
_FALLS = 0.97  # of the held-out loss a while before: below it the fall is more than noise
_WHILE = 0.2  # of the epochs, and at least one
_ABOVE_CHANCE = 0.5  # of the way from guessing to being always right


class Course(Enum):
    """How a training went."""

    OVERFITTING = "overfitting"
    IMPROVING = "still improving"
    UNDERFITTING = "underfitting"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a training went, why one may think so, and what to try."""

    course: Course
    because: str
    to_try: str


def read_history(history: Sequence[Epoch], classes: int) -> Reading:
    """Read a training's curves; `history` has one epoch or more, of `classes` classes.

    What is learnt from is shown varied, and its loss has label smoothing, so that it may stand
    above the held-out loss all the time; only where each goes says anything.
    """
    losses = [epoch.validation_loss for epoch in history]
    last, best = history[-1], min(history, key=lambda epoch: epoch.validation_loss)
    before = losses[-1 - min(len(history) - 1, max(1, round(_WHILE * len(history))))]
    learnt_since = best.loss > last.loss
    if last.validation_loss > _RISEN * best.validation_loss and learnt_since:
        return Reading(
            Course.OVERFITTING,
            f"After epoch {best.number} the loss on photos held out rose from "
            f"{best.validation_loss:.3f} to {last.validation_loss:.3f}, while that on photos "
            "learnt from went on falling: it learnt those by heart. The network of epoch "
            f"{best.number} was kept.",
            "More photos; --augment strong; fewer --epochs.",
        )
    if last.validation_loss < _FALLS * before:
        return Reading(
            Course.IMPROVING,
            f"The loss on photos held out was still falling at the end, from {before:.3f} to "
            f"{last.validation_loss:.3f} in the last epochs.",
            "More --epochs.",
        )
    chance = 1 / classes
    if last.accuracy < chance + _ABOVE_CHANCE * (1 - chance):
        return Reading(
            Course.UNDERFITTING,
            f"It is right about {last.accuracy:.0%} of the photos that it learns from, and "
            "neither that nor the photos held out get better any more.",
            "Look for wrong labels (--find-label-errors); --network residual; a larger "
            "--image-size; another --learning-rate; a weaker --augment.",
        )
    return Reading(
        Course.SETTLED,
        f"The loss on photos held out has come to rest at {last.validation_loss:.3f}, and does "
        "not rise.",
        "More photos, above all such as are now got wrong.",
    )
