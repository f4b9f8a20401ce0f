"""The verdict that follows from a prediction, and its words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.labels import PhotoClass, Role, classes_from_folders
from core.model.classifier import Classifier
from core.model.verdict import Verdict, VerdictKind, in_effect, judge, to_prediction
from core.model.wording import describe
from tests.predictions import predicted

THRESHOLDS = {"cat": 0.8, "dog": 0.6, "other": 0.5, "both": 0.7}
CLASSES = tuple(
    one.with_threshold(THRESHOLDS[one.label])
    for one in classes_from_folders(["cats", "dogs", "other", "both"])
)


def judged(label: str, confidence: float, threshold: float | None = None) -> Verdict:
    return judge(predicted(label, confidence, CLASSES), CLASSES, threshold)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("cat", VerdictKind.FILED),
        ("dog", VerdictKind.FILED),
        ("other", VerdictKind.NEITHER),
        ("both", VerdictKind.BOTH),
    ],
)
def test_each_class_has_its_own_threshold(label: str, kind: VerdictKind) -> None:
    sure, unsure = judged(label, THRESHOLDS[label]), judged(label, THRESHOLDS[label] - 0.001)
    assert (sure.kind, sure.is_sure, sure.label) == (kind, True, label)
    assert (unsure.kind, unsure.is_sure, unsure.label) == (VerdictKind.UNSURE, False, "unsure")
    assert sure.likeliest.label == unsure.likeliest.label == label
    assert unsure.prediction.label == label


def test_a_persons_threshold_raises_a_classs_own_and_never_lowers_it() -> None:
    assert judged("dog", 0.7).is_sure
    assert not judged("dog", 0.7, threshold=0.75).is_sure
    assert not judged("cat", 0.75, threshold=0.1).is_sure
    assert not judged("cat", 0.75, threshold=0.0).is_sure
    assert [in_effect(one, 0.65) for one in CLASSES] == [0.8, 0.65, 0.65, 0.7]
    assert [in_effect(one, None) for one in CLASSES] == [one.threshold for one in CLASSES]


def test_a_class_that_is_not_calibrated_is_never_sure_by_less_than_certainty() -> None:
    classes = classes_from_folders(["cats", "dogs"])
    assert not judge(predicted("cat", 0.9999, classes), classes).is_sure


@pytest.mark.parametrize(
    ("label", "confidence", "words"),
    [
        ("cat", 0.987, "cat, 98 %"),
        ("dog", 0.5, "not sure, perhaps dog (50 %)"),
        ("other", 0.97, "neither cat nor dog (97 %)"),
        ("other", 0.4, "not sure, perhaps neither cat nor dog (40 %)"),
        ("both", 0.9, "cat and dog, 90 %"),
        ("both", 0.61, "not sure, perhaps cat and dog (61 %)"),
    ],
)
def test_a_verdict_in_words(
    classifier: Classifier, label: str, confidence: float, words: str
) -> None:
    manifest = replace(classifier.manifest, classes=CLASSES)
    assert describe(judged(label, confidence), manifest) == words


def test_of_more_than_two_kinds_both_is_more_than_one(classifier: Classifier) -> None:
    classes: tuple[PhotoClass, ...] = tuple(
        one.with_threshold(0.5)
        for one in classes_from_folders(["cats", "dogs", "hamsters", "both"])
    )
    manifest = replace(classifier.manifest, classes=classes)
    verdict = judge(predicted("both", 0.9, classes), classes)
    assert describe(verdict, manifest) == "more than one of cat, dog, hamsters, 90 %"


def test_a_kind_of_cat_that_is_not_sure_is_a_cat() -> None:
    """What may be Tom or another cat is a cat, surely; Tom is Tom where he is sure."""
    classes = (
        PhotoClass("cat", "cats", Role.FILE, {"en": "cat"}, threshold=0.9),
        PhotoClass("dog", "dogs", Role.FILE, {"en": "dog"}, threshold=0.9),
        PhotoClass("tom", "tom", Role.FILE, {"en": "tom"}, threshold=0.8, parent="cat"),
    )
    either = to_prediction(np.array([0.45, 0.02, 0.53]), classes, "v1")
    assert (either.label, round(either.confidence, 2)) == ("cat", 0.98)
    assert judge(either, classes).kind is VerdictKind.FILED
    assert to_prediction(np.array([0.1, 0.02, 0.88]), classes, "v1").label == "tom"
    unsure = to_prediction(np.array([0.3, 0.3, 0.4]), classes, "v1")
    assert unsure.label == "tom"
    assert judge(unsure, classes).kind is VerdictKind.UNSURE


def test_a_persons_threshold_is_held_against_a_class_and_its_kinds_together() -> None:
    """As in `evaluate`: Tom by himself is not sure enough for them, a cat of any kind is."""
    classes = (
        PhotoClass("cat", "cats", Role.FILE, {"en": "cat"}, threshold=0.6),
        PhotoClass("dog", "dogs", Role.FILE, {"en": "dog"}, threshold=0.6),
        PhotoClass("tom", "tom", Role.FILE, {"en": "tom"}, threshold=0.6, parent="cat"),
    )
    tom = to_prediction(np.array([0.25, 0.05, 0.7]), classes, "v1")
    assert judge(tom, classes).label == "tom"
    verdict = judge(tom, classes, threshold=0.9)
    assert (verdict.kind, verdict.label) == (VerdictKind.FILED, "cat")
    assert round(verdict.prediction.confidence, 2) == 0.95
