"""Where the time goes is measured on the steps that a prediction really takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages import Stage, stages, table, timed
from core.batch import predict_photo
from core.model.classifier import Classifier
from core.model.probabilities import probabilities_from_logits
from core.model.registry import DEFAULT_MODEL

STAGES = ["decoding", "resizing", "the model"]


@pytest.fixture
def photo(tmp_path: Path, fill_folder: Callable[..., Path]) -> bytes:
    (path,) = fill_folder(tmp_path / "photos", {"cats": 1}).rglob("*.jpg")
    return path.read_bytes()


def test_the_steps_are_those_of_a_prediction(photo: bytes) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    logits, taken = timed(classifier, photo)
    prediction = predict_photo(classifier, photo)
    (expected,) = probabilities_from_logits(logits, classifier.manifest.temperature)
    assert list(prediction.probabilities.values()) == pytest.approx(expected.tolist())
    assert list(taken) == STAGES
    assert min(taken.values()) > 0


def test_all_photos_and_steps_are_counted(photo: bytes) -> None:
    classifier = Classifier(DEFAULT_MODEL)
    found = stages(classifier, [photo] * 3)
    assert [stage.name for stage in found] == STAGES
    assert np.all([stage.milliseconds > 0 for stage in found])


def test_the_table_adds_up() -> None:
    lines = table([Stage("decoding", 0.5), Stage("the network", 1.0)]).splitlines()
    assert lines[2:] == ["| decoding | 0.50 |", "| the network | 1.00 |", "| all | 1.50 |"]
