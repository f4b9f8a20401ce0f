"""Curves that were made up, and what is said of them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.training.evaluation.epochs import Epoch
from core.training.report.reading import Course, Reading, read_history

FALLING = [1.0, 0.7, 0.5, 0.4, 0.33, 0.28, 0.24, 0.21, 0.18, 0.15]
RISING_LATE = [0.9, 0.7, 0.55, 0.5, 0.48, 0.5, 0.55, 0.6, 0.66, 0.7]
RESTING = [0.9, 0.6, 0.4, 0.3, 0.26, 0.251, 0.25, 0.25, 0.25, 0.25]
BOTH_RISE = [0.9, 0.6, 0.5, 0.45, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8]
STUCK = [0.693] * 10
NOISY = [0.40, 0.41, 0.39, 0.40, 0.41, 0.40, 0.39, 0.40, 0.40, 0.41]


def history(
    losses: list[float], held_out: list[float], accuracy: float, held_out_accuracy: float
) -> list[Epoch]:
    return [
        Epoch(number, 64, loss, accuracy, validation_loss, held_out_accuracy, 1.0)
        for number, (loss, validation_loss) in enumerate(
            zip(losses, held_out, strict=True), start=1
        )
    ]


@pytest.mark.parametrize(
    ("losses", "held_out", "accuracies", "course", "said"),
    [
        (FALLING, RISING_LATE, (0.98, 0.80), Course.OVERFITTING, "98% .* 80% .* 18 points apart"),
        (FALLING, RISING_LATE, (0.98, 0.95), Course.OVERFITTING, "went on falling to 0.165"),
        # a flat held-out loss, and nothing of what is learnt carries over
        (FALLING, NOISY, (0.99, 0.70), Course.OVERFITTING, "99% .* 70% .* 29 points apart"),
        (RESTING, RESTING, (0.99, 0.70), Course.OVERFITTING, "loss .* learnt from is 0.250"),
        (FALLING, [one + 0.05 for one in FALLING], (0.9, 0.88), Course.IMPROVING, "still falling"),
        (FALLING, FALLING, (0.9, 0.75), Course.IMPROVING, "15 points apart"),
        (STUCK, STUCK, (0.5, 0.5), Course.UNDERFITTING, "no better than guessing"),
        ([0.6] * 10, [0.6] * 10, (0.66, 0.65), Course.UNDERFITTING, "66% .* 65%"),
        # the loss rises everywhere: nothing is learnt by heart
        (BOTH_RISE, BOTH_RISE, (0.8, 0.78), Course.UNSTEADY, "did not fall either"),
        (NOISY, RISING_LATE, (0.85, 0.82), Course.UNSTEADY, "from 0.410 to 0.405"),
        (FALLING, RESTING, (0.97, 0.93), Course.SETTLED, "come to rest at 0.250"),
        (NOISY, NOISY, (0.88, 0.9), Course.SETTLED, "2 points apart"),
    ],
)
def test_curves_have_the_readings_that_a_person_would_give(
    losses: list[float],
    held_out: list[float],
    accuracies: tuple[float, float],
    course: Course,
    said: str,
) -> None:
    found = read_history(history(losses, held_out, *accuracies), classes=2, kept=5)
    assert found.course is course, found.because
    assert re.search(said, found.because), found.because
    assert "epoch 5 was kept" in found.because
    assert found.to_try


def one_epoch(accuracy: float, classes: int) -> Reading:
    return read_history(history([1.0], [1.0], accuracy, accuracy), classes, kept=1)


def test_one_epoch_can_be_read_and_three_classes_have_a_lower_chance() -> None:
    assert one_epoch(0.4, 3).course is Course.UNDERFITTING
    assert one_epoch(0.7, 3).course is Course.SETTLED
    assert one_epoch(0.7, 2).course is Course.UNDERFITTING


def test_larger_images_at_the_end_are_read_by_themselves() -> None:
    """The loss jumps when they begin, which is no overfitting."""
    small = history(FALLING, FALLING, 0.9, 0.9)
    large = [
        replace(one, number=one.number + 10, size=96, loss=one.loss + 0.2,
                validation_loss=one.validation_loss + 0.2)
        for one in history(FALLING, FALLING, 0.9, 0.9)
    ]  # fmt: skip
    assert read_history([*small, *large], 2, kept=20).course is Course.IMPROVING
