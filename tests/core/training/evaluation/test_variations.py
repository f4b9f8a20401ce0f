"""Photos turned, dark, small and two in one: what is done to them, and what is counted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.model.classifier import Classifier
from core.model.manifest import read_manifest
from core.training.data.labelled import scan
from core.training.evaluation.variations import (
    ON_BUSY,
    ON_PLAIN,
    VARIATIONS,
    measure_pairs,
    measure_variations,
    shrunk_onto,
    side_by_side,
)


@pytest.fixture
def photo() -> Image.Image:
    """Red above, a white corner to the left, blue below."""
    pixels = np.zeros((60, 80, 3), dtype=np.uint8)
    pixels[:30, :, 0] = 100
    pixels[30:, :, 2] = 100
    pixels[:10, :10] = 200
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("name", "place", "colour"),
    [
        ("mirrored", (75, 5), (200, 200, 200)),
        ("half as bright", (40, 20), (50, 0, 0)),
        ("twice as bright", (40, 40), (0, 0, 200)),
        ("greyscale", (40, 20), (30, 30, 30)),
        ("JPEG quality 15", (60, 15), (100, 0, 0)),
        ("blurred", (60, 15), (100, 0, 0)),
        ("turned left", (5, 75), (200, 200, 200)),
        ("turned right", (55, 5), (200, 200, 200)),
        ("upside down", (75, 55), (200, 200, 200)),
    ],
)
def test_variations_do_what_they_say(
    photo: Image.Image, name: str, place: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    found = VARIATIONS[name](photo).getpixel(place)
    assert found == pytest.approx(colour, abs=12 if "JPEG" in name else 1)


def test_every_variation_is_covered_above() -> None:
    assert len(VARIATIONS) == 9


def test_compression_and_blur_leave_their_marks(photo: Image.Image) -> None:
    before = np.asarray(photo).astype(int)
    blurred = np.asarray(VARIATIONS["blurred"](photo)).astype(int)
    # 1.5 pixels of 128, so 0.7 of 60: the edge between red and blue is soft, and only there
    changed = np.abs(blurred - before).max(axis=2)[:, 40]
    assert changed[30] > 10
    assert changed[26] == changed[34] == 0
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    compressed = np.asarray(VARIATIONS["JPEG quality 15"](noise)).astype(int)
    assert np.abs(compressed - np.asarray(noise)).mean() > 20


def test_a_shrunk_photo_takes_40_percent_of_the_ground(photo: Image.Image) -> None:
    ground = Image.new("RGB", (100, 50), "lime")
    corners = set()
    for seed in range(20):
        shown = np.asarray(shrunk_onto(ground, photo, np.random.default_rng(seed)))
        covered = (shown != (0, 255, 0)).any(axis=2)
        assert covered.sum() == 40 * 20
        corners.add(tuple(np.argwhere(covered)[0]))
    assert len(corners) > 10


def test_two_photos_side_by_side_are_equally_high(photo: Image.Image) -> None:
    both = side_by_side(photo, Image.new("RGB", (30, 30), "white"))
    assert both.size == (80 + 60, 60)
    assert both.getpixel((100, 30)) == (255, 255, 255)


def _same(image: Image.Image, min_side: int) -> Image.Image:
    return image


def test_what_a_model_loses_is_counted(
    tiny_model: Path,
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tiny model goes by colour: turning costs nothing, other colours cost everything."""
    swapped = "red and blue swapped"
    monkeypatch.setitem(VARIATIONS, swapped, lambda image: Image.merge("RGB", image.split()[::-1]))
    data = fill_folder(tmp_path / "data", {"cats": 12, "dogs": 12, "other": 5}, 800)
    (data / "cats" / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    varied_photos: list[None] = []
    classifier, photos = Classifier(tiny_model), scan(data).photos
    varied = measure_variations(classifier, photos, on_photo=lambda: varied_photos.append(None))
    assert set(varied) == {*VARIATIONS, ON_PLAIN, ON_BUSY}
    assert varied["mirrored"].lost == varied["upside down"].lost == 0
    for name in ("greyscale", "half as bright", "twice as bright"):
        right = []
        for photo in [one for one in photos if one.label != "other"]:
            if photo.path.name == "bad.jpg":
                continue
            with Image.open(photo.path) as image:
                varied_one = VARIATIONS[name](image)
            predicted = classifier.classify(partial(_same, varied_one)).probabilities
            right.append((predicted["cat"] > predicted["dog"]) == (photo.label == "cat"))
        assert varied[name].pet_accuracy == pytest.approx(np.mean(right))
        assert varied[name].lost == pytest.approx(1 - np.mean(right))
    assert varied[swapped].lost == pytest.approx(1 - varied[swapped].pet_accuracy) == 1
    assert len(varied_photos) == 25


def test_pairs_are_of_two_classes_and_counted_against_the_thresholds(
    tiny_model: Path, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Those of the model's classes, which a threshold of one's own can only raise."""
    data = fill_folder(tmp_path / "data", {"cats": 7, "dogs": 5, "other": 5}, 800)
    manifest = read_manifest(tiny_model)
    shutil.copytree(tiny_model, tmp_path / "eager")
    classes = tuple(one.with_threshold(0.0) for one in manifest.classes)
    replace(manifest, classes=classes).write(tmp_path / "eager")
    classifier = Classifier(tmp_path / "eager")
    photos = scan(data).photos
    low = measure_pairs(classifier, photos)
    own = measure_pairs(Classifier(tiny_model), photos, threshold=0.0)
    high = measure_pairs(classifier, photos, threshold=1.0)
    assert low is not None
    assert high is not None
    assert own is not None
    assert low.unfiled < own.unfiled < high.unfiled
    assert (low.photos, low.unfiled, high.unfiled) == (12, 0.0, 1.0)
    assert high.interval[0] < 1.0 == pytest.approx(high.interval[1])
    cats = [photo for photo in photos if photo.label == "cat"]
    assert measure_pairs(classifier, cats) is None
    assert measure_variations(classifier, cats) == {}
