"""Out-of-fold predictions: every photo judged by a network that did not learn from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from core.console import Console, Hushed
from core.training.architectures import LOGITS
from core.training.batches import whole_photos
from core.training.dataset import Dataset, Indices
from core.training.fit import Fitted
from core.training.near_duplicates import nearest

Logits = npt.NDArray[np.float32]
Learn = Callable[[Dataset, Path, Console], Fitted]  # with checkpoints in the folder

_WATCHED = 2000  # photos of the fold that a training is watched on where none are held out
_CHUNK = 512


def predict_out_of_fold(
    dataset: Dataset,
    rows: Indices,
    folds: int,
    learn: Learn,
    *,
    size: int,
    seed: int,
    work: Path,
    console: Console,
) -> Logits:
    """Predict `rows` of the photos to learn from, each with a network trained without its fold,
    and without near-duplicates of its fold.

    The photos are looked at as whole ones, at `size` pixels a side. A run that was killed goes on
    from the checkpoints in `work`.

    Returns: logits, shape `(len(rows), outputs)`.
    """
    shuffled = np.random.default_rng((seed, folds)).permutation(len(rows))
    found: list[Logits] = []
    for number, places in enumerate(np.array_split(shuffled, folds), start=1):
        own = rows[places]
        others = np.setdiff1d(dataset.training, own)
        hashes = dataset.difference_hashes
        others = others[nearest(hashes[others], hashes[own]) < 0]
        console.say(
            f"Part {number} of {folds}: {len(others)} photos to learn from, {len(own)} to judge"
        )
        watched = dataset.validation if len(dataset.validation) else own[:_WATCHED]
        folder = work / f"fold-{number}"
        folder.mkdir(exist_ok=True)
        part = replace(dataset, training=others, validation=watched)
        fitted = learn(part, folder, Hushed(console))
        found.append(_logits(fitted.network, dataset, own, size))
    return np.concatenate(found)[np.argsort(shuffled)]


def _logits(network: keras.Model, dataset: Dataset, rows: Indices, size: int) -> Logits:
    found = [
        network.predict_on_batch(whole_photos(dataset, rows[first : first + _CHUNK], size))[LOGITS]
        for first in range(0, len(rows), _CHUNK)
    ]
    return np.concatenate(found)
