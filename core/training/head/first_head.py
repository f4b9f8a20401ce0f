"""The first head of a network: fitted to its replay set alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.labels import PhotoClass
from core.model.head import Head
from core.model.manifest import Manifest
from core.training.evaluation.metrics import figures
from core.training.head.calibrated import Before, fit_calibrated
from core.training.head.folds import DECAY, Material
from core.training.head.model_folder import write_head
from core.training.head.replay import FOLDS, Replay

HELD_OUT = "held out"


def write_first_head(
    folder: Path,
    replay: Replay,
    classes: Sequence[PhotoClass],
    start: Head,
    *,
    network: str,
    data: Mapping[str, Any],
) -> Manifest:
    """Fit a head that begins with `start`, and write it to an empty folder.

    `start` must not have learnt from the replay set's photos that are held out. `network` is the
    SHA-256 of the network's file, and `data` what is told of the photos that it learnt from.
    """
    labels = [one.label for one in classes]
    targets = np.array([labels.index(label) for label in replay.labels], dtype=np.intp)
    nobody = np.zeros(0, np.bool_)  # of a person's photos there are none
    fitted = fit_calibrated(
        Material(None, replay, targets, classes, decay=DECAY),
        Before(start, (start,) * FOLDS),
        classes,
        never_learnt=nobody,
        judged=nobody,
    )
    evaluation = figures(fitted.held_out, targets[replay.held_out], fitted.classes)
    return write_head(
        fitted,
        folder,
        network=network,
        own=None,
        replay=replay,
        decay=DECAY,
        data=data,
        evaluations={HELD_OUT: evaluation},
    )
