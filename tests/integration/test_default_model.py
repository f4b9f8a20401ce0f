"""The model that comes with catdog."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from catdog import main
from core.classifier import Classifier
from core.manifest import KERAS, LITERT, read_checked, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import load_photo

LARGEST = 12 * 2**20  # bytes


def test_its_files_are_those_of_its_manifest_and_not_too_large() -> None:
    manifest = read_manifest(DEFAULT_MODEL)
    assert manifest.labels == ("cat", "dog", "other")
    for name in (LITERT, KERAS):
        assert len(read_checked(DEFAULT_MODEL, manifest, name)) <= LARGEST
    card = (DEFAULT_MODEL / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert manifest.version in card
    assert f"{manifest.metrics['test']['accuracy']:.1%}" in card


def test_keras_and_litert_agree(tmp_path: Path, draw: Callable[..., Any]) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    network = keras.models.load_model(DEFAULT_MODEL / KERAS)
    for seed, kind in enumerate(("cats", "dogs", "other") * 4):
        draw(kind, seed, (320, 240)).save(tmp_path / f"{seed}.png")
    batch = np.stack(
        [load_photo(p, classifier.manifest.preprocessing) for p in sorted(tmp_path.glob("*.png"))]
    )
    expected = keras.ops.convert_to_numpy(network(batch, training=False)["logits"])
    assert classifier.logits(batch) == pytest.approx(expected, abs=1e-3)


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
    assert everything["accuracy"] >= 0.92
    assert everything["accuracy"] == pytest.approx(stated["accuracy"], abs=0.002)
    assert everything["neither_filed"] <= 0.02
    assert everything["filed_precision"] >= 0.99
    assert everything["neither_filed"] == pytest.approx(stated["neither_filed"], abs=0.005)
    for kind in ("cats", "dogs"):
        (tmp_path / "kaggle" / kind).mkdir(parents=True)
        for photo in (shared_photos / kind).glob("kaggle-*"):
            shutil.copy(photo, tmp_path / "kaggle" / kind)
    kaggle = measured(tmp_path / "kaggle")
    assert kaggle["data"]["files"] == 1000
    assert kaggle["told_apart"] >= 0.98
