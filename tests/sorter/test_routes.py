"""From a verdict to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import UnreadableCode
from core.labels import classes_from_folders
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.verdict import Prediction
from sorter.outcome import FileOutcome, Outcome
from sorter.routes import Routes
from tests.predictions import predicted

DEST = Path("dest")
PHOTO = Path("tom.jpg")


What = Prediction | UnreadableCode
Way = tuple[Path | None, str | None]  # the folder, and why it is not that of a class


def prediction(label: str, confidence: float) -> Prediction:
    return predicted(label, confidence, classes_from_folders(["cats", "dogs", "other", "both"]))


def way(routes: Routes, what: What, photo: Path = PHOTO) -> Way:
    if isinstance(what, Prediction):
        outcome = FileOutcome(photo, verdict=routes.judge(what))
    else:
        outcome = FileOutcome(photo, Outcome.FAILED, what.value)
    routed = routes.route(outcome)
    assert (routed.path, routed.outcome) == (photo, outcome.outcome)
    folder = None if routed.destination is None else routed.destination.parent
    return folder, routed.reason


@pytest.mark.parametrize(
    ("what", "left", "moved"),
    [
        (prediction("cat", 0.95), (DEST / "cats", None), (DEST / "cats", None)),
        (prediction("dog", 0.95), (DEST / "dogs", None), (DEST / "dogs", None)),
        (prediction("dog", 0.85), (None, "unsure"), (DEST / "unsure", "unsure")),
        (prediction("other", 0.95), (None, "neither"), (DEST / "other", "neither")),
        (prediction("other", 0.5), (None, "unsure"), (DEST / "unsure", "unsure")),
        (
            UnreadableCode.TRUNCATED,
            (None, "truncated"),
            (DEST / "unreadable", "truncated"),
        ),
        (
            UnreadableCode.NO_PERMISSION,
            (None, "no-permission"),
            (None, "no-permission"),
        ),
    ],
)
def test_only_what_is_surely_a_cat_or_a_dog_is_filed(
    classifier: Classifier, what: What, left: Way, moved: Way
) -> None:
    assert way(Routes(classifier.manifest, DEST, 0.9), what) == left
    assert way(Routes(classifier.manifest, DEST, 0.9, move_others=True), what) == moved


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
        (prediction("both", 0.8), (None, "both"), (DEST / "other", "both")),
        (prediction("both", 0.79), (None, "unsure"), (DEST / "unsure", "unsure")),
        (prediction("cat", 0.89), (None, "unsure"), (DEST / "unsure", "unsure")),
        (prediction("dog", 0.7), (DEST / "dogs", None), (DEST / "dogs", None)),
        (prediction("other", 0.6), (None, "neither"), (DEST / "other", "neither")),
    ],
)
def test_what_shows_both_is_left_or_goes_to_other(
    manifest: Manifest, what: What, left: Way, moved: Way
) -> None:
    assert way(Routes(manifest, DEST), what) == left
    assert way(Routes(manifest, DEST, move_others=True), what) == moved


def test_what_shows_both_goes_where_a_model_puts_what_is_of_neither(manifest: Manifest) -> None:
    """And to other/ where the model has no class for that."""
    cat, dog, other, both = manifest.classes
    own = replace(manifest, classes=(cat, dog, replace(other, folder="rest"), both))
    without = replace(manifest, classes=(cat, dog, both))
    for changed, folder in ((own, "rest"), (without, "other")):
        routes = Routes(changed, DEST, move_others=True)
        assert way(routes, prediction("both", 0.9))[0] == DEST / folder


def test_a_persons_threshold_cannot_lower_a_classs_own(manifest: Manifest) -> None:
    assert way(Routes(manifest, DEST, 0.1), prediction("cat", 0.89)) == (None, "unsure")
    assert way(Routes(manifest, DEST, 0.75), prediction("dog", 0.74)) == (None, "unsure")
    assert way(Routes(manifest, DEST, 0.75), prediction("cat", 0.9)) == (DEST / "cats", None)


def test_the_thresholds_in_effect_are_known(manifest: Manifest) -> None:
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
    cat = prediction("cat", 0.95)
    assert way(routes, cat, photo)[0] == DEST / "cats" / "2019" / "07"
    assert way(routes, cat, plain)[0] == DEST / "cats" / "2020" / "09"
    assert way(routes, cat, unset)[0] == DEST / "cats" / "2017" / "07"
    assert way(routes, cat, tmp_path / "gone.jpg")[0] == DEST / "cats" / "undated"
    assert way(routes, prediction("cat", 0.5), photo)[0] == DEST / "unsure"
