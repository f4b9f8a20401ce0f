"""Curves that were made up, and what is said of them."""

from __future__ import annotations

import pytest

from core.training.history import Epoch
from core.training.report.reading import Course, read_history

FALLING = [1.0, 0.7, 0.5, 0.4, 0.33, 0.28, 0.24, 0.21, 0.18, 0.15]


def history(losses: list[float], held_out: list[float], accuracy: float) -> list[Epoch]:
    return [
        Epoch(number, 64, loss, accuracy, validation_loss, accuracy, 1.0)
        for number, (loss, validation_loss) in enumerate(
            zip(losses, held_out, strict=True), start=1
        )
    ]


@pytest.mark.parametrize(
    ("losses", "held_out", "accuracy", "course", "said"),
    [
        (
            FALLING,
            [0.9, 0.7, 0.55, 0.5, 0.48, 0.5, 0.55, 0.6, 0.66, 0.7],
            0.98,
            Course.OVERFITTING,
            "The network of epoch 5 was kept",
        ),
        (
            FALLING,
            [value + 0.05 for value in FALLING],
            0.9,
            Course.IMPROVING,
            "from 0.260 to 0.200",
        ),
        ([0.69] * 10, [0.69] * 10, 0.55, Course.UNDERFITTING, "right about 55%"),
        (
            FALLING,
            [0.9, 0.6, 0.4, 0.3, 0.26, 0.251, 0.25, 0.25, 0.25, 0.25],
            0.97,
            Course.SETTLED,
            "come to rest at 0.250",
        ),
    ],
)
def test_four_courses_have_four_readings(
    losses: list[float], held_out: list[float], accuracy: float, course: Course, said: str
) -> None:
    found = read_history(history(losses, held_out, accuracy), classes=2)
    assert found.course is course
    assert said in found.because
    assert found.to_try


def test_one_epoch_can_be_read_and_three_classes_have_a_lower_chance() -> None:
    assert read_history(history([1.0], [1.0], 0.4), classes=3).course is Course.UNDERFITTING
    assert read_history(history([1.0], [1.0], 0.7), classes=3).course is Course.SETTLED
    assert read_history(history([1.0], [1.0], 0.7), classes=2).course is Course.UNDERFITTING


def test_a_loss_that_rises_in_both_is_not_called_overfitting() -> None:
    """Larger images or a rate too high do that."""
    both = [0.9, 0.6, 0.5, 0.5, 0.6, 0.7]
    assert read_history(history(both, both, 0.9), classes=2).course is Course.SETTLED
