"""The input pipeline: every batch follows from the seed and its step alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.labels import Role
from core.model.preprocessing import Pixels, squash
from core.runtime.lookahead import map_ahead
from core.training.data.dataset import Dataset, Indices
from core.training.networks.fitting.augment import augment, pair
from core.training.networks.recipe import Recipe, Stage

Targets = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float32]

_MOST = 20.0  # times the weight of a photo of the largest class: the rarest are learnt by heart
GROUNDS = 12  # photos of neither in each batch, for others to be shown small on


def steps_per_epoch(dataset: Dataset, recipe: Recipe) -> int:
    """Count the batches of all photos; the last of an odd number wait for the next epoch."""
    return max(1, len(dataset.training) // recipe.batch_size)


def training_batches(
    dataset: Dataset, recipe: Recipe, stage: Stage, steps: range
) -> Iterator[tuple[Pixels, Targets, Weights]]:
    """Yield the augmented batches of some steps, numbered from the start of the whole run."""
    an_epoch = steps_per_epoch(dataset, recipe)
    is_filed = np.array([photo_class.role is Role.FILE for photo_class in dataset.classes])
    neither = dataset.training[~is_filed[dataset.targets[dataset.training]]]

    weights = class_weights(dataset, recipe.balance)

    def make(step: int) -> tuple[Pixels, Targets, Weights]:
        number, position = divmod(step, an_epoch)
        order = np.random.default_rng((recipe.seed, 0, number)).permutation(dataset.training)
        start = position * recipe.batch_size
        # sorted, so that the decoded photos are read from the file in their order
        indices = np.sort(order[start : start + recipe.batch_size])
        random = np.random.default_rng((recipe.seed, 1, step))
        grounds = None
        if stage.augmentation.shrunk and len(neither):
            grounds = dataset.pixels[np.sort(random.choice(neither, GROUNDS))]
        photos = dataset.pixels[indices]
        photos = augment(photos, stage.size, stage.augmentation, random, grounds)
        targets = targets_of(dataset, indices)
        filed = is_filed[dataset.targets[indices]]
        photos, targets = pair(photos, targets, filed, stage.augmentation.paired, random)
        return photos, targets, _weights(targets, weights)

    for _, batch in map_ahead(make, steps):
        yield batch


def class_weights(dataset: Dataset, balance: float) -> Weights:
    """Weigh each class by how rare it is among the photos to learn from; the mean photo counts 1.

    `balance` is the power of its rarity: 0 for none, 1 for classes that count alike.
    """
    counts = np.bincount(dataset.targets[dataset.training], minlength=len(dataset.classes))
    rarity = np.minimum(counts.max() / np.maximum(counts, 1), _MOST) ** balance
    weights: Weights = (rarity / np.average(rarity, weights=counts)).astype(np.float32)
    return weights


def _weights(targets: Targets, weights: Weights) -> Weights:
    """Weigh photos by their classes, pairs by both."""
    if targets.shape[1] == 1:
        targets = np.concatenate([1 - targets, targets], axis=1)
    of_photos: Weights = targets @ weights
    return of_photos


def whole_photos(dataset: Dataset, indices: Indices, size: int) -> Pixels:
    """Resize stored photos just as serving does, for validation during training."""
    return np.stack(
        [np.asarray(squash(Image.fromarray(dataset.pixels[index]), size)) for index in indices]
    )


def targets_of(dataset: Dataset, indices: Indices) -> Targets:
    """Encode what the loss is measured against: one column for two classes, else one-hot."""
    classes = dataset.targets[indices]
    number = len(dataset.classes)
    if number == 2:
        return classes[:, np.newaxis].astype(np.float32)
    return np.eye(number, dtype=np.float32)[classes]
