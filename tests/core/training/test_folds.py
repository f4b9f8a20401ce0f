"""Photos judged by networks that did not learn from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.classifier import Classifier
from core.console import Console
from core.inference import predict_photo
from core.manifest import read_manifest
from core.probabilities import probabilities_from_logits
from core.training.dataset import Dataset, load
from core.training.fine_tune import network_for, recipe_for
from core.training.fit import Fitted
from core.training.folds import predict_out_of_fold
from core.training.labelled import scan


def test_photos_are_looked_at_as_they_are_when_served(
    tiny_model: Path,
    tmp_path: Path,
    told: Any,
    fill_folder: Callable[..., Path],
) -> None:
    manifest = read_manifest(tiny_model)
    network = network_for(recipe_for(manifest), tiny_model)
    data = fill_folder(tmp_path / "data", {"cats": 25, "dogs": 25, "other": 25}, 3000)
    how = manifest.preprocessing
    dataset = load(scan(data), how.stored_size, work=tmp_path)
    folds: list[set[int]] = []

    def learn(part: Dataset, folder: Path, console: Console) -> Fitted:
        folds.append(set(dataset.training) - set(part.training))
        return Fitted(network, ())

    rows = dataset.training[:30]
    logits = predict_out_of_fold(
        dataset, rows, 3, learn, size=how.size, seed=1, work=tmp_path, console=told
    )
    served = Classifier(tiny_model)
    found = probabilities_from_logits(logits, manifest.temperature)
    for row, probabilities in zip(rows, found, strict=True):
        prediction = predict_photo(served, dataset.photos[row].path)
        expected = list(prediction.probabilities.values())
        assert probabilities == pytest.approx(expected, abs=5e-3)  # weights in 16 bits
    assert len(folds) == 3
    assert set().union(*folds) >= set(rows)
    assert np.isfinite(logits).all()
