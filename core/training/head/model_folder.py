"""A fitted head made into a model's folder: its manifest, and what it learnt from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.labels import PhotoClass
from core.model.head import HEAD, Head
from core.model.manifest import Kind, Manifest, record_file
from core.training.data.learnt_photos import Seen, short_hashes
from core.training.evaluation.metrics import Evaluation, figures
from core.training.head.calibrated import Before, CalibratedHead, fit_calibrated
from core.training.head.material import DECAY, Material
from core.training.head.own_photos import no_photos
from core.training.head.replay import FOLDS, Replay, in_steps
from core.training.model_folders import versions

HELD_OUT = "held out"
_PACKAGES = ("catdog", "numpy", "scipy", "pillow", "ai-edge-litert")


def write_first_head(
    folder: Path,
    replay: Replay,
    classes: Sequence[PhotoClass],
    start: Head,
    *,
    network: str,
    data: Mapping[str, Any],
) -> Manifest:
    """Fit a network's first head to its replay set alone, and write it to an empty folder.

    `start`, with which it begins, must not have learnt from the replay set's photos that are held
    out. `network` and `data` are as for `write_head`.
    """
    labels = [one.label for one in classes]
    targets = np.array([labels.index(label) for label in replay.labels], dtype=np.intp)
    nobody = np.zeros(0, np.bool_)
    material = Material(
        no_photos(replay.embeddings.shape[1]),
        replay,
        targets,
        classes,
        DECAY,
        never_learnt=nobody,
        judged=nobody,
        held_out_rows=np.ones(int(replay.held_out.sum()), np.bool_),
    )
    fitted = fit_calibrated(material, Before(start, (start,) * FOLDS))
    evaluation = figures(fitted.held_out, material.held_out_targets, fitted.classes)
    evaluations = {HELD_OUT: evaluation}
    return write_head(fitted, material, folder, network, data=data, evaluations=evaluations)


def write_head(
    fitted: CalibratedHead,
    material: Material,
    folder: Path,
    network: str,
    *,
    data: Mapping[str, Any],
    evaluations: Mapping[str, Evaluation],
) -> Manifest:
    """Write `head.npz`, `seen.npz` and `manifest.json` to an empty folder.

    `network` is the SHA-256 of the network's file, and `data` describes the photos that the head
    learnt from beside the replay set.
    """
    replay = material.replay
    fitted.head.write(folder)
    _seen(fitted, material).write(folder)
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
        recipe={"decay": DECAY, "folds": FOLDS, "cores": os.cpu_count()},
        metrics={part: asdict(one) for part, one in evaluations.items()},
        versions=versions(_PACKAGES),
        network=network,
    )
    manifest.write(folder)
    return manifest


def _seen(fitted: CalibratedHead, material: Material) -> Seen:
    own, rows = material.own, material.held_out_rows
    labels = np.array([one.label for one in fitted.classes])
    held_out = np.full((len(rows), len(labels)), np.nan, np.float32)
    held_out[rows] = fitted.held_out
    return Seen(
        hashes=short_hashes(own.sha256),
        labels=labels[own.targets],
        probabilities=fitted.own.astype(np.float32),
        embeddings=in_steps(own.views[:, 0], material.replay.scales),
        held_out=held_out,
        kernels=np.stack([head.kernel for head in fitted.heads]),
        biases=np.stack([head.bias for head in fitted.heads]),
    )
