"""Calibration and evaluation, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.labels import classes_from_folders
from core.probabilities import probabilities_from_logits
from core.training.calibrate import choose_threshold, files_too_much, fit_temperature
from core.training.figures import at_thresholds, expected_calibration_error, figures, wilson

CLASSES = classes_from_folders(["cats", "dogs", "other"])


def test_figures_by_hand() -> None:
    probabilities = np.array(
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
    targets = np.array([0, 0, 0, 1, 1, 2, 2])
    found = figures(probabilities, targets, CLASSES, 0.9)
    assert found.photos == 7
    assert found.accuracy == pytest.approx(3 / 7)
    assert found.told_apart == pytest.approx(3 / 5)
    assert found.coverage == pytest.approx(3 / 5)
    assert found.filed_precision == pytest.approx(2 / 3)
    assert found.filed_right == pytest.approx(2 / 5)
    assert found.neither_filed == pytest.approx(1 / 2)
    assert set(found.intervals) == {
        "accuracy", "told_apart", "coverage", "filed_right", "filed_precision", "neither_filed",
    }  # fmt: skip
    assert found.confusion["cat"] == {"cat": 1, "dog": 1, "other": 1}
    cat = found.per_class["cat"]
    assert (cat.precision, cat.recall, cat.support) == (1 / 2, pytest.approx(1 / 3), 3)
    assert cat.f1 == pytest.approx(0.4)


def test_what_there_is_nothing_to_tell_of_is_none() -> None:
    found = figures(np.array([[0.1, 0.1, 0.8]]), np.array([2]), CLASSES, 0.9)
    assert found.told_apart is None
    assert found.coverage is None
    assert found.filed_precision is None
    assert found.neither_filed == 0
    assert set(found.intervals) == {"accuracy", "neither_filed"}


def test_wilsons_interval_by_hand() -> None:
    """10 of 20: Wilson (1927) gives 0.299 to 0.701; of none at all it is not empty."""
    assert wilson(np.arange(20) < 10) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(np.zeros(20, dtype=bool)) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_higher_threshold_files_less() -> None:
    confidence = np.linspace(0.4, 1, 7)
    probabilities = np.stack([confidence, 1 - confidence, np.zeros(7)], axis=1)
    curve = at_thresholds(probabilities, np.zeros(7, dtype=np.intp), CLASSES, (0.45, 0.75, 1.0))
    assert [one.threshold for one in curve] == [0.45, 0.75, 1.0]
    assert [one.coverage for one in curve] == pytest.approx([1.0, 3 / 7, 1 / 7])
    assert [one.filed_precision for one in curve] == pytest.approx([6 / 7, 1.0, 1.0])
    assert {one.neither_filed for one in curve} == {None}


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5])
    right = np.array([True, True, True, False, True, False])
    assert expected_calibration_error(confidence, right) == pytest.approx(4 / 6 * 0.2)
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == 0


def test_the_temperature_that_made_the_labels_is_found() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (20_000, 3))
    truth = probabilities_from_logits(logits, 2.0)
    targets = (truth.cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    assert fit_temperature(logits, targets) == pytest.approx(2.0, abs=0.1)


def test_the_threshold_is_the_lowest_that_files_rightly_enough() -> None:
    """Wrong up to 0.8 and right above it: the threshold ends up just above 0.8."""
    confidence = np.linspace(0.5, 1, 1001)
    probabilities = np.stack([confidence, 1 - confidence, np.zeros(1001)], axis=1)
    targets = np.where(confidence < 0.8, 1, 0)
    assert choose_threshold(
        probabilities, targets, CLASSES, [None] * len(targets)
    ) == pytest.approx(0.8, abs=0.01)
    targets = np.where(confidence < 0.7, 2, 0)
    assert choose_threshold(
        probabilities, targets, CLASSES, [None] * len(targets)
    ) == pytest.approx(0.7, abs=0.01)


def test_where_no_threshold_is_good_enough_the_highest_is_taken() -> None:
    probabilities = np.tile([0.99, 0.01, 0.0], (50, 1))
    assert (
        choose_threshold(probabilities, np.ones(50, dtype=np.intp), CLASSES, [None] * 50) == 0.995
    )


def test_every_source_counts_alike_and_small_ones_together() -> None:
    """Of 970 photos of a zoo none passes for a cat; of 30 of a farm one does, rather surely."""
    targets = np.repeat([0, 2], [500, 1000])
    probabilities = np.repeat([[0.97, 0.02, 0.01], [0.0, 0.0, 1.0]], [500, 1000], axis=0)
    probabilities[-1] = [0.9, 0.05, 0.05]
    home = ["home"] * 500

    def chosen(*sources: str) -> float:
        return choose_threshold(probabilities, targets, CLASSES, [*home, *sources])

    assert chosen(*["zoo"] * 1000) == 0.5
    assert chosen(*["zoo"] * 970, *["farm"] * 30) == pytest.approx(0.9, abs=0.006)
    assert chosen(*["zoo"] * 980, *["barn"] * 15, *["farm"] * 5) == pytest.approx(0.9, abs=0.006)


@pytest.mark.parametrize(
    ("kind", "photos", "wrong", "is_too_much"),
    [(0, 13, 1, False), (0, 13, 2, True), (0, 200, 4, False), (0, 200, 5, True),
     (2, 13, 1, False), (2, 13, 2, True), (2, 200, 6, False), (2, 200, 7, True),
     (0, 0, 0, False)],
)  # fmt: skip
def test_few_photos_that_are_filed_wrongly_prove_little(
    kind: int, photos: int, wrong: int, is_too_much: bool
) -> None:
    """Cats taken for dogs, or photos of neither taken for cats, from 0.98 on; others are not."""
    targets = np.full(photos + 5, kind)
    probabilities = np.full((photos + 5, 3), 0.005)
    probabilities[np.arange(photos + 5), targets] = 0.99
    probabilities[:wrong] = [0.005, 0.99, 0.005] if kind == 0 else [0.99, 0.005, 0.005]
    probabilities[photos:] = [0.1, 0.8, 0.1]
    if kind == 2:  # they count among all of neither, filed or not
        targets, probabilities = targets[:photos], probabilities[:photos]
    assert files_too_much(probabilities, targets, CLASSES, 0.98) == is_too_much
