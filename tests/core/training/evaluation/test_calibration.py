"""Temperatures and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from core.labels import PhotoClass, Role, classes_from_folders
from core.model.probabilities import probabilities_from_logits
from core.training.evaluation.calibration import TEMPERATURES, choose_thresholds, fit_temperature

CLASSES = classes_from_folders(["cats", "dogs", "other", "both"])


def _answers(label: int, confidence: float, number: int) -> np.ndarray:
    row = np.full(len(CLASSES), (1 - confidence) / (len(CLASSES) - 1))
    row[label] = confidence
    return np.tile(row, (number, 1))


def test_the_temperature_that_made_logits_is_found() -> None:
    """Logits that are twice too large are halved."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (4000, 3))
    probabilities = probabilities_from_logits(logits, 1.0)
    targets = np.array([random.choice(3, p=row) for row in probabilities])
    assert fit_temperature(2 * logits, targets) == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(("scale", "bound"), [(1e-3, 0), (1e3, 1)])
def test_few_photos_cannot_have_it_anywhere(scale: float, bound: int) -> None:
    """It stays within its bounds, whatever the logits."""
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]) * scale
    targets = np.array([0, 1, 0 if bound == 0 else 1])
    assert fit_temperature(logits, targets) == pytest.approx(TEMPERATURES[bound], rel=0.01)


def test_thresholds_rise_above_what_is_wrong() -> None:
    """Dogs that are taken for cats at 0.8 have cats filed from above 0.8 on; dogs stay low."""
    probabilities = np.concatenate(
        [
            _answers(0, 0.97, 500),
            _answers(1, 0.97, 500),
            _answers(0, 0.8, 10),
            _answers(2, 0.9, 500),
        ]
    )
    targets = np.repeat([0, 1, 1, 2], [500, 500, 10, 500])
    cat, dog, *_ = choose_thresholds(probabilities, targets, CLASSES)
    assert 0.8 < cat < 0.9
    assert dog == 0.5


def test_what_is_neither_raises_thresholds_too() -> None:
    """Twenty wolves that are taken for dogs at 0.9 have dogs filed from above 0.9 on."""
    probabilities = np.concatenate(
        [
            _answers(0, 0.97, 500),
            _answers(1, 0.97, 500),
            _answers(2, 0.9, 500),
            _answers(1, 0.9, 20),
        ]
    )
    targets = np.repeat([0, 1, 2, 2], [500, 500, 500, 20])
    cat, dog, *_ = choose_thresholds(probabilities, targets, CLASSES)
    assert dog > 0.9
    assert cat == 0.5


def test_thresholds_are_high_where_there_is_little_to_tell_by() -> None:
    """Ten photos, all right, prove nothing."""
    probabilities = np.concatenate([_answers(place, 0.97, 10) for place in range(4)])
    targets = np.repeat(np.arange(4), 10)
    assert set(choose_thresholds(probabilities, targets, CLASSES)) == {0.995}


def test_a_kind_of_cat_is_no_false_cat() -> None:
    """Photos of tom that are taken for cats do not keep cats from being filed."""
    tom = PhotoClass("tom", "tom", Role.FILE, {"en": "tom"}, parent="cat")
    classes = (*CLASSES[:2], tom, CLASSES[2])
    cats = np.tile([0.97, 0.01, 0.01, 0.01], (600, 1))
    dogs = np.tile([0.01, 0.97, 0.01, 0.01], (600, 1))
    other = np.tile([0.01, 0.01, 0.01, 0.97], (600, 1))
    toms = np.tile([0.9, 0.01, 0.08, 0.01], (40, 1))
    targets = np.repeat([0, 1, 3, 2], [600, 600, 600, 40])
    cat, *_ = choose_thresholds(np.concatenate([cats, dogs, other, toms]), targets, classes)
    assert cat == 0.5
