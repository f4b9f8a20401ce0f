"""From a decision to a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.classifier import Classifier
from core.errors import UnreadableCode, UnreadableImage
from core.prediction import Prediction
from sorter.routes import Route, Routes

DEST = Path("dest")


def seen(label: str, confidence: float) -> Prediction:
    return Prediction(label, confidence, {}, "v1")


@pytest.mark.parametrize(
    ("what", "left", "moved"),
    [
        (seen("cat", 0.95), Route(DEST / "cats"), Route(DEST / "cats")),
        (seen("dog", 0.95), Route(DEST / "dogs"), Route(DEST / "dogs")),
        (seen("dog", 0.85), Route(None, "unsure"), Route(DEST / "unsure", "unsure")),
        (seen("other", 0.95), Route(None, "neither"), Route(DEST / "other", "neither")),
        (seen("other", 0.5), Route(None, "unsure"), Route(DEST / "unsure", "unsure")),
        (
            UnreadableImage(UnreadableCode.TRUNCATED, ""),
            Route(None, "truncated"),
            Route(DEST / "unreadable", "truncated"),
        ),
        (
            UnreadableImage(UnreadableCode.NO_PERMISSION, ""),
            Route(None, "no-permission"),
            Route(None, "no-permission"),
        ),
    ],
)
def test_only_what_is_surely_a_cat_or_a_dog_is_filed(
    classifier: Classifier, what: Prediction | UnreadableImage, left: Route, moved: Route
) -> None:
    assert Routes(classifier.manifest, DEST, 0.9).of(what) == left
    assert Routes(classifier.manifest, DEST, 0.9, move_others=True).of(what) == moved
