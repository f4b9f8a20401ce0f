"""The model that comes with catdog."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from catdog import main
from core.classifier import Classifier
from core.image import open_image
from core.manifest import KERAS, LITERT, read_checked, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Preprocessing, preprocess
from core.training.fine_tune import network_for, recipe_for
from core.training.parity import Parity, measure_parity

LARGEST = 12 * 2**20  # bytes


def test_its_files_are_those_of_its_manifest_and_not_too_large() -> None:
    manifest = read_manifest(DEFAULT_MODEL)
    assert manifest.labels == ("cat", "dog", "other")
    for name in (LITERT, KERAS):
        assert len(read_checked(DEFAULT_MODEL, manifest, name)) <= LARGEST
    card = (DEFAULT_MODEL / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert manifest.version in card
    assert f"{manifest.metrics['test']['accuracy']:.1%}" in card


def test_what_is_served_says_what_keras_says(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Of 200 pictures; the manifest says what the weights' 16 bits change of photos."""
    classifier = Classifier(DEFAULT_MODEL)
    paths = sorted(
        fill_folder(tmp_path / "data", {"cats": 67, "dogs": 67, "other": 66}).rglob("*.jpg")
    )
    assert len(paths) == 200
    parity = held_against_keras(classifier, paths)
    assert parity.largest_gap <= 2e-2
    assert parity.same_decision >= 0.995
    stated = classifier.manifest.weights
    assert (stated["bits"], stated["photos"]) == (16, 1_000)
    assert stated["accuracy"] >= stated["accuracy_before"] - 0.001


@pytest.mark.long
def test_it_says_of_photographs_what_keras_says(shared_photos: Path) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    paths = [
        path
        for kind in ("cats", "dogs", "other")
        for path in sorted((shared_photos / kind).iterdir())
    ]
    of_all = held_against_keras(classifier, paths)
    assert of_all.photos == 2_315
    assert of_all.same_decision >= 0.995
    assert of_all.accuracy == pytest.approx(of_all.accuracy_before, abs=0.001)
    some = paths[:: len(paths) // 200][:200]
    of_200 = held_against_keras(classifier, some)
    assert of_200.photos == 200
    assert of_200.largest_gap <= 2e-2
    again = classifier.manifest.second_look
    assert again is not None
    closer = held_against_keras(classifier, some, again.preprocessing)
    assert closer.same_decision >= 0.995
    assert closer.largest_gap <= 2e-2


def held_against_keras(
    classifier: Classifier, paths: Sequence[Path], how: Preprocessing | None = None
) -> Parity:
    how = how or classifier.manifest.preprocessing
    network = network_for(recipe_for(classifier.manifest), DEFAULT_MODEL)
    photos = np.stack(
        [preprocess(open_image(path, min_side=how.stored_size), how) for path in paths]
    )
    folders = [photo_class.folder for photo_class in classifier.manifest.classes]
    targets = np.array([folders.index(path.parent.name) for path in paths])
    return measure_parity(classifier, network, photos, targets, half=True)


def measured(folder: Path) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["evaluate", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


@pytest.mark.long
def test_its_figures_on_the_test_photographs(shared_photos: Path, tmp_path: Path) -> None:
    """Those that its manifest states, and good enough."""
    everything = measured(shared_photos)
    stated = read_manifest(DEFAULT_MODEL).metrics["test"]
    assert everything["accuracy"] >= 0.948
    assert everything["accuracy"] == pytest.approx(stated["accuracy"], abs=0.002)
    assert everything["neither_filed"] <= 0.015
    assert everything["filed_precision"] >= 0.993
    assert everything["filed_right"] >= 0.88
    assert everything["ece"] <= 0.015
    assert everything["neither_filed"] == pytest.approx(stated["neither_filed"], abs=0.005)
    for kind in ("cats", "dogs"):
        (tmp_path / "kaggle" / kind).mkdir(parents=True)
        for photo in (shared_photos / kind).glob("kaggle-*"):
            shutil.copy(photo, tmp_path / "kaggle" / kind)
    kaggle = measured(tmp_path / "kaggle")
    assert kaggle["data"]["files"] == 1000
    assert kaggle["told_apart"] >= 0.98
