"""Augmentation and batches: random, and yet the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.images.decode import open_image
from core.model.preprocessing import Preprocessing, preprocess
from core.training.data.dataset import Dataset, load
from core.training.data.labelled import scan
from core.training.networks.fitting.augment import augment, pair
from core.training.networks.fitting.batches import (
    class_weights,
    steps_per_epoch,
    targets_of,
    training_batches,
    whole_photos,
)
from core.training.networks.recipe import Augmentation, Recipe, Stage

NONE = Augmentation(
    min_area=1.0, aspect=1.0, brightness=0.0, contrast=0.0, saturation=0.0, flip=False
)
HOW = Preprocessing(16, stored_size=18)
RECIPE = Recipe(stages=(Stage(16, 3, Augmentation(min_area=0.5)),), batch_size=8)


@pytest.fixture
def dataset(tmp_path: Path, fill_folder: Callable[..., Path]) -> Dataset:
    data = fill_folder(tmp_path / "data", {"cats": 40, "dogs": 40, "other": 40})
    return load(scan(data), HOW, work=tmp_path)


def test_augmentation_that_does_nothing_leaves_the_photo_alone() -> None:
    photos = np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)
    assert (augment(photos, 16, NONE, np.random.default_rng(1)) == photos).all()


def test_flipping_mirrors_left_and_right_of_about_half() -> None:
    photo = np.zeros((16, 16, 3), dtype=np.uint8)
    photo[:, 8:] = 255
    photos = np.stack([photo] * 400)
    flipped = augment(photos, 16, replace(NONE, flip=True), np.random.default_rng(1))
    assert 150 < (flipped[:, 0, 0, 0] == 255).sum() < 250
    assert set(np.unique(flipped)) == {0, 255}


@pytest.mark.parametrize("what", ["brightness", "contrast", "saturation"])
def test_colours_change_and_their_mean_stays(what: str) -> None:
    """Brightness moves the mean about itself; contrast and saturation keep a photo's mean."""
    photos = np.random.default_rng(0).integers(60, 180, (200, 8, 8, 3), dtype=np.uint8)
    changed = augment(photos, 8, replace(NONE, **{what: 0.3}), np.random.default_rng(2))  # type: ignore[arg-type]
    assert (changed != photos).any(axis=(1, 2, 3)).mean() > 0.9
    shift = changed.astype(float).mean(axis=(1, 2, 3)) - photos.astype(float).mean(axis=(1, 2, 3))
    assert abs(shift.mean()) < 3
    assert (np.abs(shift).max() > 20) == (what == "brightness")


@pytest.mark.parametrize(
    "what", ["grey", "turned", "shrunk", "sharpened", "blurred", "compressed", "noisy"]
)
def test_a_share_of_the_photos_is_degraded_and_the_others_are_left_alone(what: str) -> None:
    noise = np.random.default_rng(0).integers(60, 180, (300, 16, 16, 3), dtype=np.uint8)
    changed = augment(noise, 16, replace(NONE, **{what: 0.3}), np.random.default_rng(3), noise[:5])  # type: ignore[arg-type]
    assert changed.shape == noise.shape
    assert 0.2 < (changed != noise).any(axis=(1, 2, 3)).mean() < 0.4
    if what == "grey":
        assert (np.ptp(changed.astype(int), axis=3).max(axis=(1, 2)) <= 1).mean() > 0.2


def test_a_shrunk_photo_is_whole_on_a_ground_of_neither() -> None:
    white = np.full((200, 32, 32, 3), 255, dtype=np.uint8)
    ground = np.full((1, 32, 32, 3), 77, dtype=np.uint8)
    shown = augment(white, 32, replace(NONE, shrunk=1.0), np.random.default_rng(0), ground)
    shares = (shown == 255).all(axis=3).mean(axis=(1, 2))
    assert shares.min() == pytest.approx(0.35**2, abs=0.02)
    assert shares.max() == pytest.approx(0.85**2, abs=0.03)
    assert 0.35 < (shown == 77).any(axis=(1, 2, 3)).mean() < 0.65


def test_a_pair_is_half_the_one_and_half_the_other_and_only_of_what_is_filed() -> None:
    shades = np.array([10, 20, 200, 210, 90], dtype=np.uint8)
    photos = np.broadcast_to(shades[:, None, None, None], (5, 16, 16, 3)).copy()
    targets = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]]
    filed = np.array([True, True, True, True, False])
    shown, wanted = pair(photos, targets, filed, 1.0, np.random.default_rng(0))
    assert wanted.tolist() == [[0.5, 0.5, 0]] * 4 + [[0, 0, 1]]
    for index, image in enumerate(shown[:4]):
        found = set(np.unique(image).tolist())
        own, other = ({10, 20}, {200, 210}) if index < 2 else ({200, 210}, {10, 20})
        assert int(shades[index]) in found
        assert len(found) == 2
        assert len(found & own) == len(found & other) == 1
        assert 0.35 < (image == shades[index]).mean() < 0.65
    assert (shown[4] == 90).all()
    lone, still = pair(photos[:2], targets[:2], filed[:2], 1.0, np.random.default_rng(0))
    assert (lone == photos[:2]).all()
    assert (still == targets[:2]).all()


def test_batches_hold_pairs(dataset: Dataset) -> None:
    """Or photos of two animals would be filed as one of them."""
    stage = Stage(16, 1, replace(NONE, paired=0.5))
    targets = np.concatenate(
        [wanted for _, wanted, _ in training_batches(dataset, RECIPE, stage, range(12))]
    )
    halves = (targets == 0.5).sum(axis=1) == 2
    assert 0.15 < halves.mean() < 0.55
    assert (targets[halves, 2] == 0).all()
    assert (targets.sum(axis=1) == 1).all()


def test_a_rare_class_may_count_as_much_as_the_others(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "rare", {"cats": 80, "dogs": 80, "other": 20})
    dataset = load(scan(data), HOW, work=tmp_path)
    assert class_weights(dataset, 0.0).tolist() == [1, 1, 1]
    counts = np.bincount(dataset.targets[dataset.training])
    weights = class_weights(dataset, 1.0)
    assert (weights * counts).tolist() == pytest.approx([counts.sum() / 3] * 3)
    half = class_weights(dataset, 0.5)
    assert half[2] / half[0] == pytest.approx((counts[0] / counts[2]) ** 0.5)
    hundred_to_one = replace(dataset, training=np.array([*dataset.training[:1]] * 1))
    assert class_weights(hundred_to_one, 1.0).max() <= 20 * class_weights(hundred_to_one, 1.0).min()
    stage = Stage(16, 1, replace(NONE, paired=0.3))
    recipe = replace(RECIPE, balance=1.0)
    for _, targets, of_photos in training_batches(dataset, recipe, stage, range(8)):
        for target, weight in zip(targets, of_photos, strict=True):
            assert weight == pytest.approx(float(target @ weights))


def test_two_classes_are_weighed_too(tmp_path: Path, fill_folder: Callable[..., Path]) -> None:
    data = fill_folder(tmp_path / "two", {"cats": 90, "dogs": 30})
    dataset = load(scan(data), HOW, work=tmp_path)
    weights = class_weights(dataset, 1.0)
    recipe = replace(RECIPE, balance=1.0)
    stage = Stage(16, 1, NONE)
    _, targets, of_photos = next(training_batches(dataset, recipe, stage, range(1)))
    assert of_photos.tolist() == pytest.approx(weights[targets[:, 0].astype(int)].tolist())


def test_batches_follow_from_seed_and_step(dataset: Dataset) -> None:
    stage = RECIPE.stages[0]
    whole = list(training_batches(dataset, RECIPE, stage, range(12)))
    resumed = list(training_batches(dataset, RECIPE, stage, range(7, 12)))
    for (photos, targets, _), (again, targets_again, _) in zip(whole[7:], resumed, strict=True):
        assert (photos == again).all()
        assert (targets == targets_again).all()
    other = next(training_batches(dataset, replace(RECIPE, seed=2), stage, range(1)))
    assert (other[0] != whole[0][0]).any()


def test_an_epoch_shows_each_training_photo_once_and_no_other(dataset: Dataset) -> None:
    stage = Stage(18, 1, NONE)
    recipe = replace(RECIPE, stages=(stage,))
    steps = steps_per_epoch(dataset, recipe)
    shown = np.concatenate(
        [photos for photos, _, _ in training_batches(dataset, recipe, stage, range(steps))]
    )
    keys = {photo.tobytes() for photo in shown}
    assert len(keys) == len(shown) == steps * 8
    assert keys <= {dataset.pixels[row].tobytes() for row in dataset.training}
    assert not keys & {dataset.pixels[row].tobytes() for row in dataset.validation}


def test_few_photos_come_in_smaller_batches() -> None:
    """Twenty epochs of one step each would teach nothing."""
    recipe = replace(RECIPE, batch_size=64)
    for photos in (10, 54, 100, 255, 256, 9000):
        batch = recipe.with_batches_for(photos).batch_size
        assert photos // batch >= 4, photos
        assert batch == 64 or photos < 256


def test_a_second_epoch_shows_the_same_photos_in_another_order(dataset: Dataset) -> None:
    few = replace(dataset, training=dataset.training[:16])
    stage = Stage(dataset.pixels.shape[1], 1, NONE)
    shown = [
        [photo.tobytes() for photo in photos]
        for photos, _, _ in training_batches(few, RECIPE, stage, range(6))
    ]
    passes = [{*shown[step], *shown[step + 1]} for step in (0, 2, 4)]
    assert (
        passes[0] == passes[1] == passes[2] == {few.pixels[row].tobytes() for row in few.training}
    )
    assert shown[0] != shown[2]


def test_rotation_turns_about_the_middle_and_leaves_no_empty_corner() -> None:
    """A vertical bar leans by up to so many degrees, and what was bright stays bright."""
    photo = np.full((64, 64, 3), 200, dtype=np.uint8)
    photo[:, 30:34] = 20
    turned = augment(
        np.stack([photo] * 60), 64, replace(NONE, rotation=20.0), np.random.default_rng(1)
    )
    assert turned.min() >= 15, "nothing black came in at the corners"
    tops = (turned[:, 2, :, 0] < 110).argmax(axis=1)
    middles = (turned[:, 32, :, 0] < 110).argmax(axis=1)
    assert np.ptp(middles) <= 3
    assert tops.min() < 24
    assert tops.max() > 37


def test_targets_are_one_hot_or_one_column_for_two_classes(dataset: Dataset) -> None:
    rows = np.array([0, 50, 100])
    assert targets_of(dataset, rows).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    two = replace(dataset, classes=dataset.classes[:2])
    assert targets_of(two, rows[:2]).tolist() == [[0], [1]]


def test_validation_sees_the_very_pixels_that_serving_sees(dataset: Dataset) -> None:
    """Or figures in training would not be those of the model that is served."""
    rows = dataset.validation[:5]
    for row, pixels in zip(rows, whole_photos(dataset, rows, 16), strict=True):
        image = open_image(dataset.photos[row].path, min_side=HOW.decoded_side)
        assert (pixels == preprocess(image, HOW)).all()
