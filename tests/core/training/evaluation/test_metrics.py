"""Figures of an evaluation, against those worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.labels import classes_from_folders
from core.training.evaluation.metrics import (
    at_thresholds,
    expected_calibration_error,
    figures,
    wilson,
)

UNCALIBRATED = classes_from_folders(["cats", "dogs", "other"])
CLASSES = tuple(one.with_threshold(0.9) for one in UNCALIBRATED)
PROBABILITIES = np.array(
    [
        [0.95, 0.04, 0.01],  # cat, filed rightly
        [0.20, 0.70, 0.10],  # cat, taken for a dog, unsure
        [0.30, 0.10, 0.60],  # cat, taken for other, told apart rightly
        [0.92, 0.05, 0.03],  # dog, filed wrongly
        [0.02, 0.97, 0.01],  # dog, filed rightly
        [0.01, 0.94, 0.05],  # other, filed all the same
        [0.05, 0.05, 0.90],  # other
    ]
)
TARGETS = np.array([0, 0, 0, 1, 1, 2, 2])


def test_figures_by_hand() -> None:
    found = figures(PROBABILITIES, TARGETS, CLASSES)
    assert found.photos == 7
    assert found.accuracy == pytest.approx(3 / 7)
    assert found.pet_accuracy == pytest.approx(3 / 5)
    assert found.coverage == pytest.approx(3 / 5)
    assert found.filed_precision == pytest.approx(2 / 3)
    assert found.filed_rightly == pytest.approx(2 / 5)
    assert found.false_filing_rate == pytest.approx(1 / 2)
    assert set(found.intervals) == {
        "accuracy", "pet_accuracy", "coverage", "filed_rightly", "filed_precision",
        "false_filing_rate",
    }  # fmt: skip
    assert found.confusion["cat"] == {"cat": 1, "dog": 1, "other": 1}
    assert found.verdicts == {
        "cat": {"cat": 1, "dog": 0, "other": 0, "unsure": 2},
        "dog": {"cat": 1, "dog": 1, "other": 0, "unsure": 0},
        "other": {"cat": 0, "dog": 1, "other": 1, "unsure": 0},
    }
    cat = found.per_class["cat"]
    assert (cat.precision, cat.support) == (1 / 2, 3)
    assert cat.recall == pytest.approx(1 / 3)
    assert cat.f1 == pytest.approx(0.4)


def test_each_class_has_its_own_threshold() -> None:
    """Dogs from 0.96 on, cats from 0.95 on, and what is neither from 0.5 on."""
    classes = tuple(
        one.with_threshold(threshold)
        for one, threshold in zip(UNCALIBRATED, (0.95, 0.96, 0.5), strict=True)
    )
    found = figures(PROBABILITIES, TARGETS, classes)
    assert found.thresholds == {"cat": 0.95, "dog": 0.96, "other": 0.5}
    assert found.verdicts == {
        "cat": {"cat": 1, "dog": 0, "other": 1, "unsure": 1},
        "dog": {"cat": 0, "dog": 1, "other": 0, "unsure": 1},
        "other": {"cat": 0, "dog": 0, "other": 1, "unsure": 1},
    }
    assert found.coverage == pytest.approx(2 / 5)
    assert found.filed_rightly == pytest.approx(2 / 5)
    assert (found.filed_precision, found.false_filing_rate) == (1, 0)


def test_a_threshold_of_ones_own_only_raises() -> None:
    """To 0.97 from 0.9; and not to 0.1."""
    raised = figures(PROBABILITIES, TARGETS, CLASSES, 0.97)
    assert set(raised.thresholds.values()) == {0.97}
    assert raised.coverage == pytest.approx(1 / 5)
    assert raised.verdicts["other"]["unsure"] == 2
    assert figures(PROBABILITIES, TARGETS, CLASSES, 0.1) == figures(PROBABILITIES, TARGETS, CLASSES)


def test_a_model_that_is_not_calibrated_files_nothing() -> None:
    """But what it is certain of."""
    assert figures(PROBABILITIES, TARGETS, UNCALIBRATED).coverage == 0


def test_what_there_is_nothing_to_tell_of_is_none() -> None:
    found = figures(np.array([[0.1, 0.1, 0.8]]), np.array([2]), CLASSES)
    assert found.pet_accuracy is None
    assert found.coverage is None
    assert found.filed_precision is None
    assert found.filed_rightly is None
    assert found.false_filing_rate == 0
    assert set(found.intervals) == {"accuracy", "false_filing_rate"}


def test_wilsons_interval_by_hand() -> None:
    """10 of 20: Wilson (1927) gives 0.299 to 0.701; of none at all it is not empty."""
    assert wilson(np.arange(20) < 10) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(np.zeros(20, dtype=bool)) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_higher_threshold_files_less() -> None:
    """One threshold for all classes, in the place of their own: lower ones, too."""
    confidence = np.linspace(0.4, 1, 7)
    probabilities = np.stack([confidence, 1 - confidence, np.zeros(7)], axis=1)
    curve = at_thresholds(probabilities, np.zeros(7, dtype=np.intp), CLASSES, (0.45, 0.75, 1.0))
    assert [one.threshold for one in curve] == [0.45, 0.75, 1.0]
    assert [one.coverage for one in curve] == pytest.approx([1.0, 3 / 7, 1 / 7])
    assert [one.filed_precision for one in curve] == pytest.approx([6 / 7, 1.0, 1.0])
    assert {one.false_filing_rate for one in curve} == {None}


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5])
    right = np.array([True, True, True, False, True, False])
    assert expected_calibration_error(confidence, right) == pytest.approx(4 / 6 * 0.2)
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == 0


def test_what_was_never_answered_has_no_precision() -> None:
    """Nor has a class without photos a recall: neither is nought."""
    sure = np.array([[0.9, 0.05, 0.05], [0.5, 0.25, 0.25]])
    found = figures(sure, np.array([0, 0]), CLASSES)
    dog = found.per_class["dog"]
    assert (dog.precision, dog.recall, dog.f1) == (None, None, None)
    assert found.per_class["cat"].precision == 1
    assert found.loss == pytest.approx(-(np.log(0.9) + np.log(0.5)) / 2)
