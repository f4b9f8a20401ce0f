"""From a decision to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.classifier import Classifier
from core.errors import UnreadableCode, UnreadableImage
from core.prediction import Prediction
from sorter.routes import Route, Routes

DEST = Path("dest")
PHOTO = Path("tom.jpg")


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
    assert Routes(classifier.manifest, DEST, 0.9).of(PHOTO, what) == left
    assert Routes(classifier.manifest, DEST, 0.9, move_others=True).of(PHOTO, what) == moved


def test_by_date_follows_the_camera_then_the_file(
    classifier: Classifier, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    photo = tmp_path / "tom.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:07:04 12:30:00"
    draw("cats", 1).save(photo, exif=exif)
    os.utime(photo, (1_600_000_000, 1_600_000_000))  # 13 September 2020
    plain = tmp_path / "plain.jpg"
    draw("cats", 2).save(plain)
    os.utime(plain, (1_600_000_000, 1_600_000_000))
    unset = tmp_path / "unset.jpg"
    exif.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    draw("cats", 3).save(unset, exif=exif)
    os.utime(unset, (1_500_000_000, 1_500_000_000))  # 14 July 2017
    routes = Routes(classifier.manifest, DEST, 0.9, move_others=True, by_date=True)
    cat = seen("cat", 0.95)
    assert routes.of(photo, cat).folder == DEST / "cats" / "2019" / "07"
    assert routes.of(plain, cat).folder == DEST / "cats" / "2020" / "09"
    assert routes.of(unset, cat).folder == DEST / "cats" / "2017" / "07"
    assert routes.of(tmp_path / "gone.jpg", cat).folder == DEST / "cats" / "undated"
    assert routes.of(photo, seen("cat", 0.5)).folder == DEST / "unsure"
