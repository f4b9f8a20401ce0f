"""What a head is fitted to: a person's photos and the replay set, with their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.labels import PhotoClass
from core.model.head import Floats
from core.training.data.dataset import Indices
from core.training.evaluation.metrics import Flags
from core.training.head.fit_head import Samples
from core.training.head.own_photos import VIEWS, OwnPhotos
from core.training.head.replay import Replay

_BALANCE = 0.5  # 0: photos count alike; 1: classes do, whatever their numbers
ADDED_DECAY = 1e-4  # of a class that is learnt for the first time, by what little there is of it
DECAY = 2e-2  # of one that goes on: what the replay set says it knows already
_OWN_COUNTS = 8.0  # a person's photo counts as much as so many of the replay set


@dataclass(frozen=True, slots=True)
class Material:
    """What a head is fitted to."""

    own: OwnPhotos
    replay: Replay
    replay_targets: Indices
    classes: Sequence[PhotoClass]
    decay: float | Floats  # how firmly the head, or each of its classes, stays near that before
    never_learnt: Flags  # of own photos: those in validation/
    judged: Flags  # of own photos: a guess of catdog's own is no label to judge by
    held_out_rows: Flags  # which of the network's replay photos that are held out are in `replay`

    @property
    def held_out_targets(self) -> Indices:
        return self.replay_targets[self.replay.held_out]

    def samples(self, own_rows: Flags, replay_rows: Flags) -> Samples:
        """Return some of both; `own_rows` are of photos.

        Classes, each with its kinds, weigh as much as the root of their photos' number.
        """
        views = self.own.views[own_rows]
        targets = np.concatenate(
            [self.replay_targets[replay_rows], np.repeat(self.own.targets[own_rows], VIEWS)]
        )
        weights = np.ones(len(targets))
        weights[int(replay_rows.sum()) :] = _OWN_COUNTS / VIEWS
        labels = [one.label for one in self.classes]
        family = np.array([labels.index(one.parent or one.label) for one in self.classes])[targets]
        weights /= np.bincount(family, weights=weights)[family] ** _BALANCE
        features = [self.replay.features[replay_rows], views.reshape(-1, views.shape[-1])]
        return Samples(np.concatenate(features), targets, weights.astype(np.float32))
