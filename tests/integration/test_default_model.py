"""The model that comes with catdog."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from catdog import main
from core.classifier import Classifier
from core.image import open_image, opener
from core.manifest import KERAS, LITERT, read_checked, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import preprocess
from core.probabilities import probabilities_from_logits
from core.training.architectures import logits_of
from core.training.fine_tune import network_for, recipe_for

LARGEST = 12 * 2**20  # bytes

Probabilities = npt.NDArray[np.float64]


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
    """Of 200 pictures."""
    classifier = Classifier(DEFAULT_MODEL)
    paths = sorted(
        fill_folder(tmp_path / "data", {"cats": 67, "dogs": 67, "other": 66}).rglob("*.jpg")
    )
    assert len(paths) == 200
    served, expected = probabilities_of_both(classifier, paths)
    assert np.abs(served - expected).max() <= 2e-2
    assert (served.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.995


@pytest.mark.long
def test_it_says_of_photographs_what_keras_says(shared_photos: Path) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    paths = [
        path
        for kind in ("cats", "dogs", "other")
        for path in sorted((shared_photos / kind).iterdir())
    ]
    served, expected = probabilities_of_both(classifier, paths)
    kinds = [one.folder for one in classifier.manifest.classes]
    targets = np.array([kinds.index(path.parent.name) for path in paths])
    assert len(targets) == 2_315
    named, named_before = served.argmax(axis=1), expected.argmax(axis=1)
    assert (named == named_before).mean() >= 0.995
    right, right_before = (named == targets).mean(), (named_before == targets).mean()
    assert right == pytest.approx(right_before, abs=0.001)
    threshold = classifier.manifest.threshold
    filed, filed_before = (of.max(axis=1) >= threshold for of in (served, expected))
    assert (filed == filed_before).mean() >= 0.995
    some = slice(0, 200 * (len(paths) // 200), len(paths) // 200)
    assert len(served[some]) == 200
    assert np.abs(served - expected)[some].max() <= 2e-2


def probabilities_of_both(
    classifier: Classifier, paths: Sequence[Path]
) -> tuple[Probabilities, Probabilities]:
    """As served, and by the network in 32 bits."""
    manifest = classifier.manifest
    network = network_for(recipe_for(manifest), DEFAULT_MODEL)
    how = manifest.preprocessing
    images = [open_image(path, min_side=how.stored_size) for path in paths]
    served = [classifier.classify(opener(path)) for path in paths]
    expected = logits_of(network, np.stack([preprocess(image, how) for image in images]))
    return (
        np.array([list(prediction.probabilities.values()) for prediction in served]),
        probabilities_from_logits(expected, manifest.temperature),
    )


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
