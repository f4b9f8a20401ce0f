"""A fitted head made into a model's folder: its manifest, its card, what it learnt from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.model.head import HEAD
from core.model.manifest import Kind, Manifest, record_file
from core.training.data.learnt_photos import Seen, short_hashes
from core.training.evaluation.metrics import Evaluation
from core.training.head.calibrated import CalibratedHead
from core.training.head.own_photos import OwnPhotos
from core.training.head.replay import FOLDS, Replay, in_steps
from core.training.versions import versions

_PACKAGES = ("catdog", "numpy", "scipy", "pillow", "ai-edge-litert")


def write_head(
    fitted: CalibratedHead,
    folder: Path,
    *,
    network: str,
    own: OwnPhotos | None,
    replay: Replay,
    decay: float,
    data: Mapping[str, Any],
    evaluations: Mapping[str, Evaluation],
) -> Manifest:
    """Write `head.npz`, `seen.npz` and `manifest.json` to an empty folder.

    `network` is the SHA-256 of the network's file, `decay` what the head was fitted with, and
    `data` what is told of the photos that it learnt from beside the replay set.
    """
    fitted.head.write(folder)
    _seen(fitted, own, replay).write(folder)
    record = record_file(folder / HEAD)
    created = datetime.now(UTC)
    manifest = Manifest(
        version=f"{created:%Y-%m-%d}-{record.sha256[:8]}",
        created=created.isoformat(timespec="seconds"),
        kind=Kind.HEAD,
        classes=fitted.classes,
        temperature=fitted.temperature,
        files={HEAD: record},
        data={
            **data,
            "replay": dict(Counter(replay.labels.tolist())),
            "replay_held_out": int(replay.held_out.sum()),
        },
        recipe={
            "decay": decay,
            "folds": FOLDS,
            "cores": os.cpu_count(),
        },
        metrics={part: asdict(one) for part, one in evaluations.items()},
        versions=versions(_PACKAGES),
        network=network,
    )
    manifest.write(folder)
    return manifest


def _seen(fitted: CalibratedHead, own: OwnPhotos | None, replay: Replay) -> Seen:
    channels = replay.embeddings.shape[1]
    labels = [one.label for one in fitted.classes]
    return Seen(
        hashes=short_hashes(own.sha256 if own else ()),
        labels=np.array([labels[target] for target in own.targets] if own else [], dtype=np.str_),
        probabilities=fitted.own.astype(np.float32),
        embeddings=(
            in_steps(own.views[:, 0], replay.scales) if own else np.zeros((0, channels), np.uint8)
        ),
        held_out=fitted.held_out.astype(np.float32),
        kernels=np.stack([head.kernel for head in fitted.heads]),
        biases=np.stack([head.bias for head in fitted.heads]),
    )
