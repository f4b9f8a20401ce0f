"""Labels that look wrong: photos that a network which never saw them firmly takes for others."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.console import Console, count_up
from core.model_store import UNFINISHED
from core.probabilities import probabilities_from_logits
from core.training.calibrate import fit_temperature
from core.training.dataset import load
from core.training.evaluate import Predicted
from core.training.folds import predict_out_of_fold
from core.training.labelled import scan
from core.training.progress import fit_with_progress
from core.training.recipe import Recipe
from core.training.report.mistakes import Mistake, worst_mistakes

FIRMLY = 0.9  # confidence in another class from which on a label is told of


def firmly_wrong(predicted: Predicted, labels: Sequence[str]) -> list[Mistake]:
    """Find the photos that are firmly taken for something else, the firmest first."""
    wrong = worst_mistakes(predicted, labels, most=None)
    return [mistake for mistake in wrong if mistake.confidence >= FIRMLY]


def predict_all(
    data: Path, recipe: Recipe, *, models_dir: Path, console: Console
) -> tuple[Predicted, tuple[str, ...]]:
    """Predict every photo in `data` with a network trained on the half that it is not in.

    The confidences are calibrated. While it runs, its checkpoints stand in
    `models_dir/unfinished/`. After Northcutt et al., "Confident Learning", 2021.

    Returns: the predictions, and the labels that their columns stand for. Raises UsageRefused for
    data that cannot be learnt from.
    """
    labelled = scan(data)
    unfinished = models_dir / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="label-faults-", dir=unfinished))
    try:
        with console.progress("Decoding", len(labelled.photos)) as told:
            dataset = load(labelled, recipe.stored_size, work=work, on_photo=count_up(told))
        rows = np.concatenate([dataset.training, dataset.validation])
        dataset = replace(dataset, training=rows, validation=rows[:0])
        found = predict_out_of_fold(
            dataset,
            rows,
            2,
            lambda half, folder, told: fit_with_progress(half, recipe, work=folder, console=told),
            size=recipe.size,
            seed=recipe.seed,
            work=work,
            console=console,
        )
        targets = dataset.targets[rows]
        probabilities = probabilities_from_logits(found, fit_temperature(found, targets))
        photos = tuple(dataset.photos[row] for row in rows)
        labels = tuple(photo_class.label for photo_class in dataset.classes)
        faults = dataset.faults
        del dataset  # Windows removes no file that is mapped
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Predicted(photos, probabilities, targets, faults), labels
