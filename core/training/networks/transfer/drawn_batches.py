"""Batches for learning on from ImageNet's weights; each follows from the seed and its step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from core.labels import Role
from core.model.preprocessing import Pixels
from core.runtime.lookahead import map_ahead
from core.training.data.dataset import Dataset, Indices
from core.training.networks.fitting.augment import augment
from core.training.networks.fitting.batches import GROUNDS
from core.training.networks.recipe import MILD, WHOLE
from core.training.networks.transfer.composites import composite
from core.training.networks.transfer.transfer_recipe import Transfer, TransferStage


class Plan:
    """The stage, the share of it that is done, and the learning rate of each step."""

    def __init__(self, settings: Transfer, photos: int) -> None:
        """`photos` is the number of those to learn from."""
        self._stages = list(zip(settings.stages, settings.steps(photos), strict=True))
        self.steps = sum(steps for _, steps in self._stages)

    def at(self, step: int) -> tuple[int, float]:
        """Return the number of a step's stage, and the share of it that is done, 0 to 1."""
        for number, (_, steps) in enumerate(self._stages):
            if step < steps:
                return number, step / steps
            step -= steps
        return len(self._stages) - 1, 1.0

    def learning_rate(self, step: int) -> float:
        number, share = self.at(step)
        stage, steps = self._stages[number]
        done, warmup = share * steps, min(stage.warmup_steps, steps // 2)
        if done < warmup:
            return stage.learning_rate * (done + 1) / warmup
        falling = (done - warmup) / max(1, steps - warmup)
        return stage.learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


def drawn_batches(
    dataset: Dataset, settings: Transfer, plan: Plan, steps: range, *, both: int
) -> Iterator[tuple[Pixels, Indices]]:
    """Yield augmented photos of some steps, with their classes: `both` is that of composites."""
    rows = dataset.training
    chances = [
        draw_chances(dataset, rows, stage.source_power, {Role.NEITHER: stage.neither})
        for stage in settings.stages
    ]
    is_filed = np.array([one.role is Role.FILE for one in dataset.classes])[dataset.targets]
    neither = rows[~is_filed[rows]]

    def make(step: int) -> tuple[Pixels, Indices]:
        number, share = plan.at(step)
        stage = settings.stages[number]
        random = np.random.default_rng((settings.seed, step))
        augmentation = WHOLE if share >= 1 - stage.whole_share else MILD
        # sorted, so that the decoded photos are read from the file in their order
        drawn = np.sort(random.choice(rows, settings.batch_size, p=chances[number]))
        grounds = None
        if len(neither):
            grounds = dataset.pixels[np.sort(random.choice(neither, GROUNDS))]
        size = stage.size(share)
        photos = augment(dataset.pixels[drawn], size, augmentation, random, grounds).copy()
        targets = dataset.targets[drawn].copy()
        _put_together(photos, targets, is_filed[drawn], stage, both, random)
        return photos, targets

    for _, batch in map_ahead(make, steps):
        yield batch


def draw_chances(
    dataset: Dataset, rows: Indices, source_power: float, shares: Mapping[Role, float]
) -> npt.NDArray[np.float64]:
    """Compute how likely each of some photos is drawn; they add up to 1.

    Classes are drawn alike, but for the `shares` of some roles, and within each a source with n
    photos n to the `source_power` times.
    """
    sources = np.array([dataset.photos[row].source or "" for row in rows])
    classes = dataset.targets[rows]
    chances = np.zeros(len(rows))
    for index, one in enumerate(dataset.classes):
        own = np.flatnonzero(classes == index)
        if not len(own):
            continue
        _, inverse, counts = np.unique(sources[own], return_inverse=True, return_counts=True)
        weights = counts[inverse] ** (source_power - 1.0)
        chances[own] = shares.get(one.role, 1.0) * weights / weights.sum()
    scaled: npt.NDArray[np.float64] = chances / chances.sum()
    return scaled


def _put_together(
    photos: Pixels,
    targets: Indices,
    filed: npt.NDArray[np.bool_],
    stage: TransferStage,
    both: int,
    random: np.random.Generator,
) -> None:
    """Replace a share of the photos that are filed by composites, in place.

    Two in three are of two classes, and are of *both* then; the third is of two photos of one
    class, so that a seam alone says nothing.
    """
    alone = photos.copy()
    classes = targets.copy()
    for index in np.flatnonzero(filed & (random.random(len(photos)) < stage.composites)):
        same = bool(random.random() < 1 / 3)
        others = np.flatnonzero(filed & ((classes == classes[index]) == same))
        others = others[others != index]
        if not len(others):
            continue
        other = alone[random.choice(others)]
        photos[index] = composite(alone[index], other, random, matched=stage.matched)
        if not same:
            targets[index] = both
