"""Out-of-fold predictions: every photo judged by a head that did not learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass
from core.model.head import Head
from core.runtime.lookahead import map_ahead
from core.training.head.fit_head import Samples, fit_head
from core.training.head.own_photos import VIEWS, OwnPhotos
from core.training.head.replay import Replay

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Targets = npt.NDArray[np.intp]

_BALANCE = 0.5  # 0: photos count alike; 1: classes do, whatever their numbers
ADDED_DECAY = 1e-4  # of a class that is learnt for the first time, by what little there is of it
DECAY = 2e-2  # of one that goes on: what the replay set says it knows already
_OWN_COUNTS = 8.0  # a person's photo counts as much as so many of the replay set


@dataclass(frozen=True, slots=True)
class Material:
    """What a head is fitted to: a person's photos and the replay set, with their classes."""

    own: OwnPhotos | None
    replay: Replay
    replay_targets: Targets
    classes: Sequence[PhotoClass]
    decay: float | Floats  # how firmly the head, or each of its classes, stays near that before

    @property
    def held_out(self) -> Flags:
        return self.replay.held_out

    def samples(self, own_rows: Flags, replay_rows: Flags) -> Samples:
        """Put together some of both; `own_rows` are of photos.

        Classes, each with its kinds, weigh as much as the root of their photos' number says.
        """
        features = [self.replay.features[replay_rows]]
        targets = [self.replay_targets[replay_rows]]
        counts = [np.ones(int(replay_rows.sum()))]
        if self.own is not None and own_rows.any():
            views = self.own.views[own_rows]
            features.append(views.reshape(-1, views.shape[-1]))
            targets.append(np.repeat(self.own.targets[own_rows], VIEWS))
            counts.append(np.full(len(targets[-1]), _OWN_COUNTS / VIEWS))
        weights, of = np.concatenate(counts), np.concatenate(targets)
        labels = [one.label for one in self.classes]
        family = np.array([labels.index(one.parent or one.label) for one in self.classes])[of]
        weights /= np.bincount(family, weights=weights)[family] ** _BALANCE
        return Samples(np.concatenate(features), of, weights.astype(np.float32))


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What heads say of photos from which they did not learn, and these heads."""

    own: Floats  # logits, shape (photos, classes)
    held_out: Floats  # of the replay set's photos that are held out, shape (photos, classes)
    heads: tuple[Head, ...]  # one for each fold


def out_of_fold(material: Material, before: Sequence[Head], left_out: Flags) -> OutOfFold:
    """Fit a head without each fifth of the photos, and have it judge them.

    `before` are the heads to stay near, one for each fold, none of which learnt from its photos
    either: a photo is in the same fold whenever a head is trained. Photos of a person's that are
    nearly the same are in one fold; those that are `left_out` are judged, and never learnt from.
    """
    held_out = material.held_out
    features = material.replay.features[held_out]
    places = np.flatnonzero(held_out)
    replay_folds = material.replay.folds[held_out]
    own_folds = np.zeros(0, np.intp) if material.own is None else material.own.folds
    own_logits = np.zeros((len(own_folds), len(material.classes)), np.float32)
    held_logits = np.zeros((len(places), len(material.classes)), np.float32)

    def fitted(fold: int) -> Head:
        rows = np.ones(len(held_out), np.bool_)
        rows[places[replay_folds == fold]] = False
        samples = material.samples((own_folds != fold) & ~left_out, rows)
        return fit_head(samples, before[fold], decay=material.decay)

    heads = []
    for fold, head in map_ahead(fitted, range(len(before))):
        judged = own_folds == fold
        if material.own is not None:
            own_logits[judged] = head.logits(material.own.views[judged, 0])
        held_logits[replay_folds == fold] = head.logits(features[replay_folds == fold])
        heads.append(head)
    return OutOfFold(own_logits, held_logits, tuple(heads))


def fit_all(material: Material, before: Head, left_out: Flags) -> Head:
    """Fit the head that serves: to everything but what is `left_out`."""
    rows = np.ones(len(material.held_out), np.bool_)
    return fit_head(material.samples(~left_out, rows), before, decay=material.decay)
