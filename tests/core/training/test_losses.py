"""Cross-entropy among the classes that are present."""

from __future__ import annotations

import keras
import numpy as np

from core.training.losses import KeptCrossentropy, LabelAccuracy, PresentCrossentropy

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
    kept = keras.losses.deserialize(keras.losses.serialize(KeptCrossentropy()))
    assert isinstance(kept, KeptCrossentropy)
    metric = LabelAccuracy(name="accuracy")
    assert keras.metrics.deserialize(keras.metrics.serialize(metric)).name == "accuracy"


ANSWERS = np.array([[0.2, 0.1, 0.7], [0.1, 0.8, 0.1]], np.float32)
BESIDE = np.concatenate([LABELS, ANSWERS], axis=1)


def test_answers_count_and_not_the_labels_beside_them() -> None:
    found = float(KeptCrossentropy()(BESIDE, LOGITS))
    assert abs(found - float(keras.losses.CategoricalCrossentropy(True)(ANSWERS, LOGITS))) < 1e-5


def test_accuracy_counts_labels_and_not_what_has_none() -> None:
    """The second photo is named right, whatever the model before said of it."""
    metric = LabelAccuracy(name="accuracy")
    metric.update_state(BESIDE, LOGITS)
    assert float(metric.result()) == 0.5
    unlabelled = np.concatenate([np.zeros_like(LABELS), ANSWERS], axis=1)
    metric.update_state(unlabelled, LOGITS)
    assert float(metric.result()) == 0.5
