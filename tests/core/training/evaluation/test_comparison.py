"""Whether a head may serve in the place of the current model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.labels import PhotoClass, Role, classes_from_folders
from core.training.evaluation.comparison import Comparison, Judgement, Part, compare

CLASSES = tuple(one.with_threshold(0.8) for one in classes_from_folders(["cats", "dogs", "other"]))
LABELS = ["cat"] * 200 + ["dog"] * 200 + ["other"] * 200


def _judgement(filed: float, false: int = 0) -> Judgement:
    """Answers that file a share of the pets rightly, and so many of neither as cats."""
    rows = []
    for place, label in enumerate(LABELS):
        index = ["cat", "dog", "other"].index(label)
        confidence = 0.9 if label == "other" or place % 200 < 200 * filed else 0.6
        if label == "other" and place - 400 < false:
            index = 0
        row = np.full(3, (1 - confidence) / 2)
        row[index] = confidence
        rows.append(row)
    return Judgement(CLASSES, np.array(rows))


def _compared(current: Judgement, new: Judgement, **changes: object) -> Comparison:
    options: dict[str, object] = {"doubtful": 0.0, "against_it": [], "other_classes": False}
    return compare("v1", [Part("your photos", current, new, LABELS)], **{**options, **changes})  # type: ignore[arg-type]


def test_the_same_answers_are_no_worse() -> None:
    """A head that says what the current model says may serve."""
    assert _compared(_judgement(0.9), _judgement(0.9)).is_no_worse


def test_filing_less_is_worse() -> None:
    """Two photos in a hundred fewer are more than the one point that may be lost."""
    assert not _compared(_judgement(0.9), _judgement(0.88)).is_no_worse


def test_filing_more_is_no_worse() -> None:
    """More photos filed rightly speak for a head."""
    assert _compared(_judgement(0.8), _judgement(0.9)).is_no_worse


@pytest.mark.parametrize(("false", "fits"), [(1, True), (2, False)])
def test_false_filings_may_rise_by_one_photo(false: int, fits: bool) -> None:
    """One more photo of neither that is filed is chance, two are not."""
    assert _compared(_judgement(0.9), _judgement(0.9, false)).is_no_worse is fits


def test_many_labels_in_doubt_stop_it() -> None:
    """With more than one label in twenty in doubt nothing is told by such labels."""
    comparison = _compared(_judgement(0.9), _judgement(0.9), doubtful=0.06)
    assert not comparison.is_no_worse
    assert "6% of the labels look wrong" in comparison.findings[-1].sentence


def test_a_cat_that_is_tom_now_is_no_loss() -> None:
    """Photos of a class that the current model does not have are not held against the new one."""
    tom = PhotoClass("tom", "tom", Role.FILE, {"en": "tom"}, threshold=0.8, parent="cat")
    current = replace(_judgement(0.9))
    new = Judgement(
        (*CLASSES[:2], tom, CLASSES[2]), np.insert(_judgement(0.9).probabilities, 2, 0.0, axis=1)
    )
    labels = ["tom"] * 20 + LABELS[20:]
    part = Part("your photos", current, new, labels)
    assert compare("v1", [part], doubtful=0.0, against_it=[], other_classes=False).is_no_worse
