"""Cross-entropy among the classes that are present."""

from __future__ import annotations

import keras
import numpy as np

from core.training.losses import KeepingCrossentropy, LabelAccuracy, PresentCrossentropy

LOGITS = np.array([[2.0, 0.5, 3.0], [-1.0, 1.0, 0.0]], np.float32)
LABELS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], np.float32)


def test_an_absent_class_has_no_part_in_it() -> None:
    found = float(PresentCrossentropy([True, True, False])(LABELS, LOGITS))
    two = float(keras.losses.CategoricalCrossentropy(True)(LABELS[:, :2], LOGITS[:, :2]))
    assert abs(found - two) < 1e-5
    moved = LOGITS + np.array([0.0, 0.0, 50.0], np.float32)
    assert abs(float(PresentCrossentropy([True, True, False])(LABELS, moved)) - two) < 1e-5


def test_labels_are_smoothed_among_the_present() -> None:
    found = float(PresentCrossentropy([True, True, False], 0.1)(LABELS, LOGITS))
    expected = keras.losses.CategoricalCrossentropy(True, label_smoothing=0.1)
    assert abs(found - float(expected(LABELS[:, :2], LOGITS[:, :2]))) < 1e-5


def test_it_is_saved_with_a_checkpoint() -> None:
    loss = PresentCrossentropy([True, False, True], 0.05)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.present == [True, False, True]
    assert again.label_smoothing == 0.05
    keeping = KeepingCrossentropy([True, False, True], 0.05)
    assert keras.losses.deserialize(keras.losses.serialize(keeping)).present == [True, False, True]
    metric = LabelAccuracy(name="accuracy")
    assert keras.metrics.deserialize(keras.metrics.serialize(metric)).name == "accuracy"


BEFORE = np.array([[0.2, 0.1, 0.7], [0.1, 0.8, 0.1]], np.float32)
BESIDE = np.concatenate([LABELS, BEFORE], axis=1)


def test_keeping_adds_how_far_answers_are_from_those_before() -> None:
    """It is least, for an absent class, where the model says what it said before."""
    loss = KeepingCrossentropy([True, True, False])
    labels = float(PresentCrossentropy([True, True, False])(LABELS, LOGITS))
    kept = float(keras.losses.CategoricalCrossentropy(True)(BEFORE, LOGITS))
    assert abs(float(loss(BESIDE, LOGITS)) - (labels + 3 * kept)) < 1e-4
    as_before = np.log(BEFORE)
    moved = as_before + np.array([0.0, 0.0, 1.0], np.float32)
    assert float(loss(BESIDE, as_before)) < float(loss(BESIDE, moved))


def test_accuracy_counts_labels_not_answers_before() -> None:
    """The second photo is named right, whatever the model before said of it."""
    metric = LabelAccuracy(name="accuracy")
    metric.update_state(BESIDE, LOGITS)
    assert float(metric.result()) == 0.5
