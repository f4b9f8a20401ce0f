"""Decisions and how they are worded."""

from __future__ import annotations

import pytest

from core.classifier import Classifier
from core.prediction import Prediction, decide
from core.wording import describe


def seen(label: str, confidence: float) -> Prediction:
    return Prediction(label, confidence, {label: confidence}, "v1")


def test_the_threshold_itself_is_sure_and_anything_under_it_unsure() -> None:
    assert decide(seen("cat", 0.9), 0.9).label == "cat"
    assert decide(seen("cat", 0.8999), 0.9).label == "unsure"
    assert decide(seen("cat", 0.9), 0.9).is_sure
    assert not decide(seen("cat", 0.1), 0.9).is_sure


@pytest.mark.parametrize(
    ("label", "confidence", "words"),
    [
        ("cat", 0.987, "cat, 98 %"),
        ("dog", 0.99999, "dog, 99 %"),
        ("dog", 0.61, "not sure, perhaps dog (61 %)"),
        ("other", 0.97, "neither cat nor dog (97 %)"),
        ("other", 0.5, "not sure, perhaps neither cat nor dog (50 %)"),
    ],
)
def test_decisions_in_words(
    classifier: Classifier, label: str, confidence: float, words: str
) -> None:
    assert describe(decide(seen(label, confidence), 0.9), classifier.manifest) == words
