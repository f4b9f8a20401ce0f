"""The baseline does what the programs that it stands for do, and is no straw man: it is right."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import baseline, bot_load
from benchmarks.bound import classify
from benchmarks.measuring.setting import module
from core.batch import predict_photo
from core.model.classifier import Classifier
from core.model.manifest import read_manifest
from core.model.registry import DEFAULT_MODEL

pytestmark = [pytest.mark.keras, pytest.mark.long]


@pytest.fixture(scope="module")
def model() -> Any:
    return baseline.load()


def test_it_predicts_what_catdog_predicts(model: Any, shared_photos: Path) -> None:
    """But for few, which it decodes and resizes otherwise."""
    classifier = Classifier(DEFAULT_MODEL)
    photos = [
        photo
        for kind in ("cats", "dogs", "other")
        for photo in sorted((shared_photos / kind).iterdir())[:8]
    ]
    same = 0
    for photo in photos:
        folder, probability = baseline.predict(model, io.BytesIO(photo.read_bytes()))
        assert 1 / 4 <= probability <= 1
        known = classifier.manifest.class_of(predict_photo(classifier, photo).label).folder
        same += folder == known
    assert same >= 20


def test_it_moves_every_photo_to_its_class(
    model: Any, fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = fill_folder(tmp_path / "data", {"cats": 5}) / "cats"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert baseline.sort(model, folder) == 5
    moved = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name: path.read_bytes() for path in moved} == before
    assert {path.parent.name for path in moved} <= set(baseline.CLASSES)


def test_its_classes_are_the_model_s() -> None:
    """In their order, or the head's columns would be called something else."""
    manifest = read_manifest(DEFAULT_MODEL)
    assert tuple(one.folder for one in manifest.classes) == baseline.CLASSES


def test_what_the_model_alone_takes_is_measured_on_right_answers(
    fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """Of every photo, in its place."""
    folder = fill_folder(tmp_path / "data", {"cats": 5, "dogs": 6, "other": 4})
    photos = sorted(folder.rglob("*.jpg"))
    classifier = Classifier(DEFAULT_MODEL)
    labels = [classifier.manifest.labels[number] for number in classify(photos)]
    assert labels == [predict_photo(classifier, photo).label for photo in photos]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_its_bot_answers_everybody() -> None:
    load = bot_load.burst(lambda url: module("baseline", "bot", url), people=2, photos=2)
    assert (load.answered, load.doubled) == (4, 0)
    assert load.last >= load.p95 >= load.median > 0
    assert load.idle > 100e6
