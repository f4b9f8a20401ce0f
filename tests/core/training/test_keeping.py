"""What is learnt from photos where a model goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.probabilities import probabilities_from_logits
from core.training.architectures import logits_of
from core.training.fine_tune import read_network
from core.training.keeping import corrected, with_answers


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


def test_a_batch_has_corrected_answers_beside_its_targets(
    tiny_model: Path, photos: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    before = read_network(tiny_model)
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    weights = np.full(6, 3.0, np.float32)
    ((shown, learnt, weighed),) = with_answers([(photos, targets, weights)], before)
    assert (shown == photos).all()
    assert (learnt[:, :3] == targets).all()
    assert (learnt[:, 3:].argmax(axis=1) == targets.argmax(axis=1)).all()
    said = probabilities_from_logits(logits_of(before, photos), 1.0)
    assert np.abs(learnt[:, 3:] - corrected(said, targets)).max() < 0.02  # bfloat16 rounds them
    assert (weighed == weights).all()
