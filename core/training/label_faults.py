"""Labels that look wrong: photos that a network which never saw them firmly takes for others."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.console import Console, count_up
from core.model_store import UNFINISHED
from core.probabilities import probabilities_from_logits
from core.training.architectures import LOGITS
from core.training.batches import whole_photos
from core.training.calibrate import fit_temperature
from core.training.dataset import Dataset, Indices, load
from core.training.evaluate import Predicted
from core.training.fit import Fitted
from core.training.labelled import scan
from core.training.progress import fit_with_progress
from core.training.recipe import Recipe

FIRMLY = 0.9  # confidence in another class from which on a label is told of
_WATCHED = 2000  # photos of the other half that each training is watched on
_CHUNK = 512


def predict_out_of_fold(
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
        rows = np.random.default_rng(recipe.seed).permutation(rows)
        halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        table: dict[int, npt.NDArray[np.float32]] = {}
        for number, (own, other) in enumerate((halves, halves[::-1]), start=1):
            console.say(
                f"Half {number} of 2: {len(own)} photos to learn from, {len(other)} to judge"
            )
            fold = replace(dataset, training=own, validation=other[:_WATCHED])
            folder = work / f"half-{number}"
            folder.mkdir()
            fitted = fit_with_progress(fold, recipe, work=folder, console=console)
            table.update(zip(other.tolist(), _logits(fitted, dataset, other, recipe), strict=True))
        order = sorted(table)
        found = np.stack([table[row] for row in order])
        targets = dataset.targets[order]
        probabilities = probabilities_from_logits(found, fit_temperature(found, targets))
        photos = tuple(dataset.photos[row] for row in order)
        labels = tuple(photo_class.label for photo_class in dataset.classes)
        faults = dataset.faults
        del dataset, fold  # Windows removes no file that is mapped
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Predicted(photos, probabilities, targets, faults), labels


def _logits(
    fitted: Fitted, dataset: Dataset, rows: Indices, recipe: Recipe
) -> npt.NDArray[np.float32]:
    found = [
        fitted.network.predict_on_batch(
            whole_photos(dataset, rows[first : first + _CHUNK], recipe.size)
        )[LOGITS]
        for first in range(0, len(rows), _CHUNK)
    ]
    return np.concatenate(found)
