"""A training's curves, read in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from core.training.evaluation.epochs import Epoch

_RISEN = 1.05  # of the lowest loss: above it the rise is more than noise
_FALLEN = 0.97  # of the loss before: below it the fall is more than noise
_WHILE = 0.2  # of the epochs, and at least one: what stands for the end
_FEWEST = 3  # epochs of the last stage, from which on it is read alone
_GAP = 0.1  # between accuracies: above it what is learnt does not carry over
_ABOVE_CHANCE = 0.5  # of the way from guessing to being always right
_GUESSING = 0.1  # of that way


class Course(Enum):
    """How a training went."""

    OVERFITTING = "overfitting"
    IMPROVING = "still improving"
    UNDERFITTING = "underfitting"
    UNSTEADY = "unsteady"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a training went, the evidence, and what to try."""

    course: Course
    of_loss: str  # sentences on the curves of the loss, or none
    of_accuracy: str
    was_kept: str
    to_try: str

    @property
    def because(self) -> str:
        return " ".join(part for part in (self.of_loss, self.of_accuracy, self.was_kept) if part)


@dataclass(frozen=True, slots=True)
class _End:
    """The means of the last epochs, beside earlier ones."""

    loss: float
    loss_at_best: float  # when the loss on photos held out was lowest
    held_out: float
    best_held_out: float
    is_best: bool  # the lowest loss on photos held out is among them
    held_out_before: float
    accuracy: float
    held_out_accuracy: float

    @property
    def gap(self) -> float:
        return self.accuracy - self.held_out_accuracy

    @property
    def rises(self) -> bool:
        return not self.is_best and self.held_out > _RISEN * self.best_held_out

    @property
    def falls(self) -> bool:
        return self.held_out < _FALLEN * self.held_out_before

    @property
    def still_learns(self) -> bool:
        return self.loss < _FALLEN * self.loss_at_best


def read_history(history: Sequence[Epoch], classes: int, kept: int) -> Reading:
    """Read a training's curves; `history` has one epoch or more, of `classes` classes.

    `kept` is the number of the epoch whose network was kept. What is learnt from is shown varied,
    and its loss has label smoothing, so that it may stand above the held-out loss all the time:
    where each goes says something, and how far the accuracies are apart.
    """
    last_size = [epoch for epoch in history if epoch.size == history[-1].size]
    end = _end(last_size if len(last_size) >= _FEWEST else history)
    chance = 1 / classes
    way = (end.accuracy - chance) / (1 - chance)
    so_far = (
        f"At the end it is right about {end.accuracy:.0%} of the photos that it learns from and "
        f"{end.held_out_accuracy:.0%} of those held out, {abs(100 * end.gap):.0f} points apart"
    )
    was_kept = f"The network of epoch {kept} was kept."
    rise = (
        f"The loss on photos held out rose from {end.best_held_out:.3f} to {end.held_out:.3f}"
        if end.rises
        else f"The loss on photos held out has come to rest at {end.held_out:.3f}"
    )
    learns_by_heart = end.rises and end.still_learns
    if learns_by_heart or (end.gap > _GAP and not end.falls):
        learnt = f"went on falling to {end.loss:.3f}" if end.still_learns else f"is {end.loss:.3f}"
        return Reading(
            Course.OVERFITTING,
            f"{rise}, while that on photos learnt from {learnt}: more and more of it is learnt by "
            "heart.",
            f"{so_far}.",
            was_kept,
            "More photos; --set augment=strong; --set dropout=0.5; fewer --epochs.",
        )
    if end.rises and way >= _GUESSING:
        return Reading(
            Course.UNSTEADY,
            f"{rise}, and that on photos learnt from did not fall either: from "
            f"{end.loss_at_best:.3f} to {end.loss:.3f}.",
            f"{so_far}.",
            was_kept,
            "A lower --set learning_rate; a larger --set batch_size; more photos held out.",
        )
    if end.falls:
        return Reading(
            Course.IMPROVING,
            f"The loss on photos held out was still falling at the end, from "
            f"{end.held_out_before:.3f} to {end.held_out:.3f}.",
            f"{so_far}.",
            was_kept,
            "More --epochs." if end.gap <= _GAP else "More --epochs; more photos.",
        )
    if way < _ABOVE_CHANCE:
        return _underfitting(so_far, was_kept, is_guessing=way < _GUESSING)
    return Reading(
        Course.SETTLED,
        f"{rise}.",
        f"{so_far}.",
        was_kept,
        "More photos, above all such as are now got wrong.",
    )


def _underfitting(so_far: str, was_kept: str, *, is_guessing: bool) -> Reading:
    return Reading(
        Course.UNDERFITTING,
        "",
        f"{so_far}: {'no better than guessing' if is_guessing else 'little'}, and neither gets "
        "better any more.",
        was_kept,
        ("A lower --set learning_rate, or a higher one; " if is_guessing else "")
        + "look for wrong labels (--find-label-errors); --network residual; a larger --set size; a "
        "weaker --set augment.",
    )


def _end(history: Sequence[Epoch]) -> _End:
    some = max(1, round(_WHILE * len(history)))
    last, before = history[-some:], history[-2 * some : -some] or history[-some:]
    best = min(history, key=lambda epoch: epoch.validation_loss)

    def mean(epochs: Sequence[Epoch], name: str) -> float:
        return float(sum(getattr(epoch, name) for epoch in epochs)) / len(epochs)

    return _End(
        loss=mean(last, "loss"),
        loss_at_best=best.loss,
        held_out=mean(last, "validation_loss"),
        best_held_out=best.validation_loss,
        is_best=best in last,
        held_out_before=mean(before, "validation_loss"),
        accuracy=mean(last, "accuracy"),
        held_out_accuracy=mean(last, "validation_accuracy"),
    )
