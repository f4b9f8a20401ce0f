"""What is learnt from photos and their stand-ins, where a model goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.probabilities import probabilities_from_logits
from core.training.architectures import logits_of
from core.training.fine_tune import read_network
from core.training.keeping import corrected, with_answers
from core.training.stand_ins import stand_ins

STEPS = range(5, 7)


@pytest.fixture(scope="module")
def photos() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 255, (6, 32, 32, 3), dtype=np.uint8)


def test_a_wrong_answer_changes_places_with_the_label_and_right_ones_stay() -> None:
    answers = np.array([[0.1, 0.2, 0.7], [0.3, 0.6, 0.1], [0.5, 0.1, 0.4]])
    labels = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    expected = [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.4, 0.1, 0.5]]
    assert corrected(answers, labels).tolist() == expected
    assert answers[0].tolist() == [0.1, 0.2, 0.7]  # as it was


def test_what_is_said_of_pairs_stays() -> None:
    answers = np.array([[0.1, 0.2, 0.7]])
    assert corrected(answers, np.array([[0.5, 0.5, 0]], np.float32)).tolist() == answers.tolist()


def test_a_batch_has_corrected_answers_and_stand_ins_with_answers_as_they_are(
    tiny_model: Path, photos: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    before = read_network(tiny_model)
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    weights = np.full(6, 3.0, np.float32)

    def made() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        batches = [(photos, targets, weights)] * len(STEPS)
        return with_answers(batches, before, seed=1, steps=STEPS)

    (shown, learnt, weighed), (next_shown, _, _) = made()
    assert shown.shape == (9, 32, 32, 3)
    assert (shown[:6] == photos).all()
    assert (learnt[:6, :3] == targets).all()
    assert (learnt[6:, :3] == 0).all()
    assert (learnt[:6, 3:].argmax(axis=1) == targets.argmax(axis=1)).all()
    said = probabilities_from_logits(logits_of(before, shown[6:]), 1.0)
    assert np.abs(learnt[6:, 3:] - said).max() < 0.02  # bfloat16 rounds them
    assert np.ptp(said, axis=0).max() > 0.1  # and they are not all the same
    assert weighed.tolist() == [3.0] * 6 + [2.0] * 3
    assert (shown[6:] != next_shown[6:]).any()  # each step has its own
    for (again, _, _), once in zip(made(), (shown, next_shown), strict=True):
        assert (again == once).all()


def test_a_stand_in_is_made_of_small_pieces_of_the_photos() -> None:
    """A photo's four quarters have a colour each; a stand-in has few of these, and others."""
    quarters = np.zeros((40, 40, 3), np.uint8)
    quarters[:20, :20], quarters[:20, 20:], quarters[20:, :20] = 255, (255, 0, 0), (0, 255, 0)
    photos = np.stack([quarters] * 3)
    made = stand_ins(photos, 200, np.random.default_rng(0))
    assert made.shape == (200, 40, 40, 3)
    assert made.dtype == np.uint8
    corners = made[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    of_one_colour = (corners == corners[:, :1]).all(axis=(1, 2))
    assert of_one_colour.mean() > 0.15  # one piece, too small to show another quarter
    assert np.abs(made.astype(int) - quarters).max(axis=(1, 2, 3)).min() > 20  # none is the photo
