"""The speedrun learns from what is not held out, and stops at its target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measuring.photos import NoPhotos
from benchmarks.rows import speedrun
from core.training.data.labelled import scan
from core.training.networks.recipe import MILD, Stage

pytestmark = pytest.mark.keras


@pytest.fixture
def kaggle(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    """Photos from Kaggle, as their table says."""
    data = fill_folder(tmp_path / "data", {"cats": 70, "dogs": 70, "other": 70})
    names = [photo.relative_to(data).as_posix() for photo in sorted(data.rglob("*.jpg"))]
    table = "".join(f"{name},kaggle,\n" for name in names)
    (data / "sources.csv").write_text(f"file,source,kind\n{table}")
    return data


def test_the_same_photos_of_kaggle_s_are_held_out_each_time(kaggle: Path) -> None:
    photos = [photo for photo in scan(kaggle).photos if photo.label != "other"]
    held_out = speedrun.held_out_photos(photos, 40)
    assert len(held_out) == 40
    assert sum(path.parent.name == "cats" for path in held_out) == 20
    assert speedrun.held_out_photos(photos[::-1], 40) == held_out
    another = [replace(photo, source="web") for photo in photos]
    with pytest.raises(NoPhotos, match="Kaggle"):
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
    history, seconds = speedrun.run(dataset, recipe, work=tmp_path / "work", target=0.8)
    *before, last = (epoch.validation_accuracy for epoch in history)
    assert last >= 0.8 > max(before, default=0)
    assert seconds >= sum(epoch.seconds for epoch in history)
