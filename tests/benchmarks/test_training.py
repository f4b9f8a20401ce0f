"""Training is measured both ways on the same photos, and the speedrun stops at its target."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plain_training, recipe_training, speedrun
from benchmarks.photos import NoPhotos
from benchmarks.rows import training
from core.training.data.labelled import scan
from core.training.networks.recipe import MILD, RESIDUAL, Stage

KINDS = {"cats": 70, "dogs": 70, "other": 70}


@pytest.fixture
def data(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    return fill_folder(tmp_path / "data", KINDS)


@pytest.fixture
def kaggle(data: Path) -> Path:
    """The same, from Kaggle as their table says."""
    names = [photo.relative_to(data).as_posix() for photo in sorted(data.rglob("*.jpg"))]
    table = "".join(f"{name},kaggle,\n" for name in names)
    (data / "sources.csv").write_text(f"file,source,kind\n{table}")
    return data


@pytest.mark.long
def test_both_ways_learn_from_all_photos_and_are_timed_by_epoch(
    data: Path, tiny_recipe: Callable[..., Any]
) -> None:
    recipe = tiny_recipe(stages=(Stage(32, 9, MILD), Stage(40, 9, MILD)))
    plain = plain_training.speeds(data, 2, recipe)
    assert len(plain) == 2
    assert all(math.isfinite(speed) and speed > 0 for speed in plain)
    stages = recipe_training.speeds(data, 2, recipe)
    assert [len(stage) for stage in stages] == [2, 2]
    assert all(math.isfinite(speed) and speed > 0 for stage in stages for speed in stage)


def test_stages_count_by_their_epochs() -> None:
    """Each of the recipe's epochs takes the time that its stage's speed says."""
    speeds = [100.0 * (place + 1) for place in range(len(RESIDUAL.stages))]
    seconds = sum(
        1_000 / speed
        for stage, speed in zip(RESIDUAL.stages, speeds, strict=True)
        for _ in range(stage.epochs)
    )
    assert training.speed_of_the_recipe(speeds) == pytest.approx(RESIDUAL.epochs * 1_000 / seconds)


def test_the_copy_to_train_on_has_all_classes_as_jpegs(
    data: Path, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    draw("cats", 500).save(data / "cats" / "one.webp")
    photos = [*sorted(data.rglob("*.jpg")), data / "cats" / "one.webp"]
    training.jpeg_copy(photos, 70, tmp_path / "copy")
    copied = list((tmp_path / "copy").rglob("*.*"))
    assert 65 <= len(copied) <= 75
    assert {path.suffix for path in copied} == {".jpg"}
    assert {path.parent.name for path in copied} == set(KINDS)
    with pytest.raises(NoPhotos, match="cats/ and dogs/"):
        training.jpeg_copy(sorted((data / "cats").iterdir()), 70, tmp_path / "none")


def test_the_same_photos_of_kaggle_s_are_held_out_each_time(kaggle: Path) -> None:
    photos = [photo for photo in scan(kaggle).photos if photo.label != "other"]
    held_out = speedrun.held_out_photos(photos, 40)
    assert len(held_out) == 40
    assert sum(path.parent.name == "cats" for path in held_out) == 20
    assert speedrun.held_out_photos(photos[::-1], 40) == held_out
    another = [replace(photo, source="web") for photo in photos]
    with pytest.raises(NoPhotos, match="kaggle"):
        speedrun.held_out_photos(another, 40)


@pytest.mark.long
def test_a_speedrun_ends_with_the_epoch_that_reaches_the_target(
    kaggle: Path, tmp_path: Path, tiny_recipe: Callable[..., Any]
) -> None:
    """And learns from cats and dogs alone, none of those held out."""
    recipe = tiny_recipe(stages=(Stage(32, 12, MILD),), patience=100)
    dataset = speedrun.decode(kaggle, recipe, work=tmp_path, held_out=40)
    assert [photo_class.label for photo_class in dataset.classes] == ["cat", "dog"]
    assert (len(dataset.validation), len(dataset.training)) == (40, 100)
    (tmp_path / "work").mkdir()
    finished = speedrun.run(dataset, recipe, work=tmp_path / "work", target=0.8)
    assert finished.reached
    *before, last = (epoch.validation_accuracy for epoch in finished.history)
    assert last >= 0.8 > max(before, default=0)
    assert finished.seconds >= sum(epoch.seconds for epoch in finished.history)


def test_the_log_tells_what_each_change_gained(
    tmp_path: Path, tiny_recipe: Callable[..., Any]
) -> None:
    log = tmp_path / "log.jsonl"
    for change, seconds in (("the first", 700.0), ("another optimizer", 640.5)):
        finished = speedrun.Finished(reached=True, seconds=seconds, history=())
        speedrun.record(finished, tiny_recipe(), change, log)
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["change"], first["gained_seconds"]) == ("the first", None)
    assert (second["change"], second["gained_seconds"]) == ("another optimizer", 59.5)
    assert second["recipe"]["name"] == "tiny"
    assert second["machine"]["tensorflow"]
