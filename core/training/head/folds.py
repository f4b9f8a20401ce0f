"""Out-of-fold predictions: every photo judged by a head that did not learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.model.head import Floats, Head
from core.runtime.lookahead import map_ahead
from core.training.evaluation.metrics import Flags
from core.training.head.fit_head import fit_head
from core.training.head.material import Material


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """The logits of photos by heads that did not learn from them, and these heads."""

    own: Floats  # shape (photos, classes)
    held_out: Floats  # of the replay set's photos that are held out, shape (photos, classes)
    heads: tuple[Head, ...]  # one for each fold


def out_of_fold(material: Material, before: Sequence[Head], not_learnt: Flags) -> OutOfFold:
    """Fit a head without each fifth of the photos, and have it judge them.

    `before` are the heads to stay near, one for each fold, none of which learnt from its photos
    either: a photo is in the same fold whenever a head is trained. A person's photos that are
    nearly the same are in one fold; those that are `not_learnt` are judged alone.
    """
    own, replay = material.own, material.replay
    replay_folds = replay.folds[replay.held_out]
    features = replay.features[replay.held_out]
    own_logits = np.zeros((len(own.folds), len(material.classes)), np.float32)
    held_out_logits = np.zeros((len(features), len(material.classes)), np.float32)

    def fitted(fold: int) -> Head:
        # of those that the network learnt from the fold is -1: they are in every fit
        samples = material.samples((own.folds != fold) & ~not_learnt, replay.folds != fold)
        return fit_head(samples, before[fold], decay=material.decay)

    heads = []
    for fold, head in map_ahead(fitted, range(len(before))):
        own_logits[own.folds == fold] = head.logits(own.views[own.folds == fold, 0])
        held_out_logits[replay_folds == fold] = head.logits(features[replay_folds == fold])
        heads.append(head)
    return OutOfFold(own_logits, held_out_logits, tuple(heads))


def fit_all(material: Material, before: Head, not_learnt: Flags) -> Head:
    """Fit the head that serves: to everything but what is `not_learnt`."""
    everything = np.ones(len(material.replay.folds), np.bool_)
    return fit_head(material.samples(~not_learnt, everything), before, decay=material.decay)
