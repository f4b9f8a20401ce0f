"""The input pipeline: every batch follows from the seed and its step alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.labels import Role
from core.lookahead import map_ahead
from core.preprocessing import Pixels, squash
from core.training.architectures import KINDS, LOGITS
from core.training.augment import augment
from core.training.dataset import Dataset, Indices
from core.training.kinds import Kinds
from core.training.recipe import Recipe, Stage

Targets = dict[str, npt.NDArray[Any]]  # by output

_GROUNDS = 12  # photos of neither in each batch, for others to be shown small on


def steps_per_epoch(dataset: Dataset, recipe: Recipe) -> int:
    """Count the batches of an epoch; the last photos of an odd number wait for the next one."""
    return max(1, len(dataset.training) // recipe.batch_size)


def training_batches(
    dataset: Dataset, recipe: Recipe, stage: Stage, steps: range, kinds: Kinds | None = None
) -> Iterator[tuple[Pixels, Targets]]:
    """Yield the augmented batches of some steps, numbered from the start of the whole run."""
    an_epoch = steps_per_epoch(dataset, recipe)
    neither = _of_neither(dataset)

    def make(step: int) -> tuple[Pixels, Targets]:
        epoch, position = divmod(step, an_epoch)
        order = np.random.default_rng((recipe.seed, 0, epoch)).permutation(dataset.training)
        start = position * recipe.batch_size
        # sorted, so that the decoded photos are read from the file in their order
        indices = np.sort(order[start : start + recipe.batch_size])
        random = np.random.default_rng((recipe.seed, 1, step))
        grounds = None
        if stage.augmentation.shrunk and len(neither):
            grounds = dataset.pixels[np.sort(random.choice(neither, _GROUNDS))]
        photos = dataset.pixels[indices]
        photos = augment(photos, stage.size, stage.augmentation, random, grounds)
        return photos, targets_of(dataset, indices, kinds)

    for _, batch in map_ahead(make, steps):
        yield batch


def _of_neither(dataset: Dataset) -> Indices:
    """Find the training photos of classes that are never filed."""
    is_neither = np.array([photo_class.role is Role.NEITHER for photo_class in dataset.classes])
    found: Indices = dataset.training[is_neither[dataset.targets[dataset.training]]]
    return found


def whole_photos(dataset: Dataset, indices: Indices, size: int) -> Pixels:
    """Resize stored photos just as serving does, for validation during training."""
    return np.stack(
        [np.asarray(squash(Image.fromarray(dataset.pixels[index]), size)) for index in indices]
    )


def targets_of(dataset: Dataset, indices: Indices, kinds: Kinds | None = None) -> Targets:
    """Encode what the losses are measured against, by output.

    `logits` has one column for two classes, else is one-hot; `kinds` are places, -1 if unknown.
    """
    classes = dataset.targets[indices]
    number = len(dataset.classes)
    if number == 2:
        targets: Targets = {LOGITS: classes[:, np.newaxis].astype(np.float32)}
    else:
        targets = {LOGITS: np.eye(number, dtype=np.float32)[classes]}
    if kinds:
        targets[KINDS] = kinds.of_photos[indices].astype(np.int32)
    return targets
