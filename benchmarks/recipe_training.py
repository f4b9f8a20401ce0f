"""Training with the recipe of `residual`, for a few epochs of each stage.

    python -m benchmarks.recipe_training DATA EPOCHS

Prints the photos a second of each epoch as JSON, a list for each stage.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from core.training.data.dataset import load
from core.training.data.labelled import scan
from core.training.networks.fitting.batches import steps_per_epoch
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import RESIDUAL, Recipe


def speeds(data: Path, epochs: int, recipe: Recipe = RESIDUAL) -> list[list[float]]:
    """Train, and count each epoch's photos a second; its time holds the validation on a tenth."""
    stages = tuple(replace(stage, epochs=epochs) for stage in recipe.stages)
    recipe = replace(recipe, stages=stages, patience=epochs)
    with tempfile.TemporaryDirectory() as work:
        dataset = load(scan(data), recipe.preprocessing, work=Path(work))
        history = fit(dataset, recipe, work=Path(work)).history
    seen = steps_per_epoch(dataset, recipe) * recipe.batch_size
    found = [seen / epoch.seconds for epoch in history]
    return [found[start : start + epochs] for start in range(0, len(found), epochs)]


if __name__ == "__main__":
    print(json.dumps(speeds(Path(sys.argv[1]), int(sys.argv[2]))))
