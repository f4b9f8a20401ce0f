"""Finer names for photos, learnt besides."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from core.errors import UsageRefused
from core.training.batches import targets_of
from core.training.dataset import load, scan
from core.training.fit import fit
from core.training.kinds import Kinds, read_kinds
from core.training.recipe import MILD, Recipe, Stage
from core.training.run import train

RECIPE = Recipe(
    widths=(8, 16), blocks=(1, 1), stages=(Stage(16, 1, MILD), Stage(24, 1, MILD)), batch_size=16
)


@pytest.fixture
def data(tmp_path: Path, fill_folder: object) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})  # type: ignore[operator, no-any-return]


@pytest.fixture
def csv(data: Path) -> Path:
    """Half of the cats are red, half of the dogs blue; of the others nothing is known."""
    lines = ["file,source,kind", "cats/gone.jpg,s,red", "dogs/dogs-001.jpg,s,"]
    for folder, kind in (("cats", "red"), ("dogs", "blue")):
        lines += [f"{folder}/{folder}-{seed:03}.jpg,s,{kind}" for seed in range(0, 60, 2)]
    file = data.parent / "kinds.csv"
    file.write_text("\n".join(lines))
    return file


def test_kinds_are_those_of_the_photos_that_are_there(
    data: Path, csv: Path, tmp_path: Path
) -> None:
    dataset = load(scan(data), 18, work=tmp_path)
    kinds = read_kinds(csv, data, dataset)
    assert kinds.names == ("blue", "red")
    assert np.bincount(kinds.of_photos + 1).tolist() == [120, 30, 30]
    targets = targets_of(dataset, np.arange(180), kinds)
    assert set(targets) == {"logits", "kinds"}
    for photo, kind in zip(dataset.photos, targets["kinds"], strict=True):
        assert kind == -1 or kinds.names[kind] == {"cat": "red", "dog": "blue"}[photo.label]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "file,kind\n/elsewhere.jpg,red\n"])
def test_a_file_that_says_nothing_is_refused(data: Path, tmp_path: Path, text: str) -> None:
    dataset = load(scan(data), 18, work=tmp_path)
    file = tmp_path / "wrong.csv"
    file.write_text(text)
    with pytest.raises(UsageRefused, match=r"wrong\.csv"):
        read_kinds(file, data, dataset)
    with pytest.raises(UsageRefused, match=r"gone\.csv"):
        read_kinds(tmp_path / "gone.csv", data, dataset)


def test_kinds_are_learnt_and_leave_the_served_network_as_it_is(
    data: Path, csv: Path, tmp_path: Path, told: object
) -> None:
    dataset = load(scan(data), 27, work=tmp_path)
    fitted = fit(dataset, RECIPE, work=tmp_path, kinds=read_kinds(csv, data, dataset))
    assert set(fitted.network.output) == {"logits", "activation"}
    last = keras.models.load_model(tmp_path / "last.keras")
    assert last.output["kinds"].shape == (None, 2)
    assert last.get_layer("kinds").get_weights()[0].any()
    trained = train(data, RECIPE, models_dir=tmp_path / "m", console=told, kinds=csv)  # type: ignore[arg-type]
    assert trained.manifest.data["kinds"] == 2
    assert trained.manifest.recipe["epochs_done"] == 2


def test_photos_of_no_known_kind_teach_none() -> None:
    kinds = Kinds(("a", "b"), np.array([-1, 1]))
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=-1)
    logits = np.array([[5.0, -5.0], [0.0, 0.0]], dtype=np.float32)
    found = float(loss(kinds.of_photos, logits))
    assert found == pytest.approx(np.log(2.0), abs=1e-4)
    assert float(loss(np.array([-1, -1]), logits)) == pytest.approx(0.0, abs=1e-4)
