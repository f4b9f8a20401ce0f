"""Where the time goes is measured on the steps that a prediction really takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages import Stage, stages, table, timed
from core.classifier import Classifier
from core.inference import predict_photo
from core.model_store import DEFAULT_MODEL
from core.probabilities import probabilities_from_logits

FIRST = ["decoding", "resizing", "the network"]
SECOND = ["second look: decoding", "second look: resizing", "second look: the network"]


@pytest.fixture
def photo(tmp_path: Path, fill_folder: Callable[..., Path]) -> bytes:
    (path,) = fill_folder(tmp_path / "photos", {"cats": 1}).rglob("*.jpg")
    return path.read_bytes()


@pytest.mark.parametrize("margin", [1e-6, 1e6])
def test_the_steps_are_those_of_a_prediction(photo: bytes, margin: float) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    manifest = classifier.manifest
    assert manifest.second_look is not None
    again = replace(manifest.second_look, margin=margin)
    classifier.manifest = replace(manifest, second_look=again)
    logits, taken = timed(classifier, photo)
    prediction = predict_photo(classifier, photo)
    (expected,) = probabilities_from_logits(logits, manifest.temperature)
    assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist())
    assert list(taken) == (FIRST if prediction.looks == 1 else [*FIRST, *SECOND])
    assert (prediction.looks == 2) == (margin > 1)
    assert min(taken.values()) > 0


def test_all_photos_and_steps_are_counted(photo: bytes) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    found = stages(classifier, [photo] * 3)
    assert [stage.name for stage in found][:3] == FIRST
    assert {stage.share for stage in found[:3]} == {1.0}
    assert np.all([stage.milliseconds > 0 for stage in found])


def test_the_table_adds_up() -> None:
    lines = table([Stage("decoding", 0.5, 1.0), Stage("second look", 4.0, 0.25)]).splitlines()
    assert lines[2:] == [
        "| decoding | 0.50 | 100% | 0.50 |",
        "| second look | 4.00 | 25% | 1.00 |",
        "| all | | | 1.50 |",
    ]
