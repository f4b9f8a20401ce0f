"""Which epoch's network is kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.training.evaluation.epochs import Epoch, kept_epoch


def history(*measured: tuple[float, float]) -> list[Epoch]:
    """Make epochs of loss and accuracy on photos held out."""
    return [
        Epoch(number, 64, 0.5, 0.5, loss, accuracy, 1.0)
        for number, (loss, accuracy) in enumerate(measured, start=1)
    ]


@pytest.mark.parametrize(
    ("measured", "photos", "kept"),
    [
        # batch normalization has not settled: the first loss is the lowest, and worth nothing
        ([(0.69, 0.50), (3.4, 0.48), (1.0, 0.55), (0.9, 0.65), (0.80, 0.72), (0.82, 0.72)], 100, 5),
        # it grows too sure of itself while it still gets better
        ([(0.60, 0.68), (0.62, 0.75), (0.70, 0.80), (0.75, 0.81)], 400, 3),
        # what differs by chance alone is decided by the loss
        ([(0.60, 0.70), (0.50, 0.72), (0.40, 0.74), (0.55, 0.75)], 100, 3),
        ([(0.5, 0.9), (0.5, 0.9)], 10, 2),
        ([(0.7, 0.5)], 1, 1),
        ([(0.0, 1.0), (0.1, 1.0), (0.3, 0.99)], 100, 1),
    ],
)
def test_the_loss_chooses_among_those_that_are_as_right(
    measured: list[tuple[float, float]], photos: int, kept: int
) -> None:
    assert kept_epoch(history(*measured), photos) == kept - 1


def test_what_is_kept_never_goes_back_to_an_epoch_before() -> None:
    """Its network would be gone by then."""
    epochs = history((0.6, 0.6), (0.5, 0.7), (0.7, 0.78), (0.65, 0.72), (0.5, 0.74), (0.9, 0.9))
    kept = [kept_epoch(epochs[:number], 50) for number in range(1, 7)]
    assert kept == [0, 1, 2, 2, 4, 5]
    for number, (before, now) in enumerate(pairwise(kept), start=1):
        assert now in (before, number)
