"""From a verdict to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.labels import classes_from_folders
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.verdict import Prediction
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


THRESHOLDS = {"cat": 0.9, "dog": 0.7, "other": 0.6, "both": 0.8}


@pytest.fixture
def manifest(classifier: Classifier) -> Manifest:
    """That of a model that knows photos of both, with a threshold for each class."""
    classes = classes_from_folders(["cats", "dogs", "other", "both"])
    thresholds = tuple(one.with_threshold(THRESHOLDS[one.label]) for one in classes)
    return replace(classifier.manifest, classes=thresholds)


@pytest.mark.parametrize(
    ("what", "left", "moved"),
    [
        (seen("both", 0.8), Route(None, "both"), Route(DEST / "other", "both")),
        (seen("both", 0.79), Route(None, "unsure"), Route(DEST / "unsure", "unsure")),
        (seen("cat", 0.89), Route(None, "unsure"), Route(DEST / "unsure", "unsure")),
        (seen("dog", 0.7), Route(DEST / "dogs"), Route(DEST / "dogs")),
        (seen("other", 0.6), Route(None, "neither"), Route(DEST / "other", "neither")),
    ],
)
def test_what_shows_both_is_left_or_goes_to_other(
    manifest: Manifest, what: Prediction, left: Route, moved: Route
) -> None:
    assert Routes(manifest, DEST).of(PHOTO, what) == left
    assert Routes(manifest, DEST, move_others=True).of(PHOTO, what) == moved


def test_what_shows_both_goes_where_a_model_puts_what_is_of_neither(manifest: Manifest) -> None:
    """And to other/ where the model has no class for that."""
    cat, dog, other, both = manifest.classes
    own = replace(manifest, classes=(cat, dog, replace(other, folder="rest"), both))
    without = replace(manifest, classes=(cat, dog, both))
    for changed, folder in ((own, "rest"), (without, "other")):
        routes = Routes(changed, DEST, move_others=True)
        assert routes.of(PHOTO, seen("both", 0.9)).folder == DEST / folder


def test_a_persons_threshold_cannot_lower_a_classs_own(manifest: Manifest) -> None:
    assert Routes(manifest, DEST, 0.1).of(PHOTO, seen("cat", 0.89)) == Route(None, "unsure")
    assert Routes(manifest, DEST, 0.75).of(PHOTO, seen("dog", 0.74)) == Route(None, "unsure")
    assert Routes(manifest, DEST, 0.75).of(PHOTO, seen("cat", 0.9)) == Route(DEST / "cats")


def test_the_thresholds_in_effect_are_told(manifest: Manifest) -> None:
    """And the person's where a lower one would have more filed."""
    assert Routes(manifest, DEST).thresholds == (0.9, 0.7, 0.6, 0.8)
    assert Routes(manifest, DEST, 0.75).thresholds == (0.9, 0.75, 0.75, 0.8)
    raised = {asked: Routes(manifest, DEST, asked).raised_to for asked in (None, 0.0, 0.7, 0.75)}
    assert raised == {None: None, 0.0: None, 0.7: None, 0.75: 0.75}


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
