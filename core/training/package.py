"""A trained network made into a model's folder, and checked before anyone is served by it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.classifier import Classifier
from core.errors import CatdogError
from core.manifest import KERAS, LITERT, Manifest, Outputs, record_file
from core.preprocessing import Preprocessing
from core.training.architectures import ACTIVATION, LOGITS
from core.training.batches import whole_photos
from core.training.dataset import HELD_OUT, Dataset
from core.training.export import export
from core.training.fit import Fitted
from core.training.recipe import Recipe

_PARITY_PHOTOS = 50
_PARITY_TOLERANCE = 1e-3  # of the logits: LiteRT against Keras


def package(
    fitted: Fitted,
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    *,
    files: int,
    before: dict[str, Any] | None = None,
) -> Manifest:
    """Export a network to the empty `folder`, with a manifest that lacks calibration and figures.

    `files` is how many there were before any was skipped, `before` what `sittings_before` gives.
    Raises CatdogError for an export whose logits are not the network's.
    """
    export(fitted.network, recipe, folder)
    manifest = _provisional_manifest(fitted, dataset, recipe, folder, files, before)
    manifest.write(folder)
    _check_parity(fitted.network, Classifier(folder), dataset)
    return manifest


def _provisional_manifest(
    fitted: Fitted,
    dataset: Dataset,
    recipe: Recipe,
    folder: Path,
    files: int,
    before: dict[str, Any] | None,
) -> Manifest:
    """Everything but what only the exported model can tell."""
    recorded = {name: record_file(folder / name) for name in (LITERT, KERAS)}
    created = datetime.now(UTC)
    return Manifest(
        version=f"{created:%Y-%m-%d}-{recorded[LITERT].sha256[:8]}",
        created=created.isoformat(timespec="seconds"),
        classes=dataset.classes,
        preprocessing=Preprocessing(recipe.size, recipe.stored_size),
        outputs=Outputs(LOGITS, ACTIVATION if ACTIVATION in fitted.network.output else None),
        temperature=1.0,
        threshold=0.5,
        files=recorded,
        data={
            "fingerprint": dataset.fingerprint,
            "files": files,
            "skipped": len(dataset.faults),
            "held_out_share": HELD_OUT,
            "training": dataset.count(dataset.training),
            "validation": dataset.count(dataset.validation),
            "left_out": dataset.count(dataset.left_out),
        },
        recipe={
            **asdict(recipe),
            "epochs_done": len(fitted.history),
            "seconds": round(fitted.seconds),
            "cores": os.cpu_count(),
            **({"before": before} if before else {}),
            "history": [asdict(epoch) for epoch in fitted.history],
        },
        metrics={},
        versions=_versions(),
    )


def _check_parity(network: keras.Model, classifier: Classifier, dataset: Dataset) -> None:
    """Refuse an export whose logits are not the network's."""
    size = classifier.manifest.preprocessing.size
    batch = whole_photos(dataset, dataset.validation[:_PARITY_PHOTOS], size)
    expected = keras.ops.convert_to_numpy(network(batch, training=False)[LOGITS])
    gap = float(np.abs(classifier.logits(batch) - expected).max())
    if not gap <= _PARITY_TOLERANCE:
        raise CatdogError(
            f"The exported model's logits differ from Keras's by {gap:.2g}, more than "
            f"{_PARITY_TOLERANCE:g}. Report this with the versions that `catdog --version` prints."
        )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("catdog", "keras", keras.backend.backend(), "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as tensorflow-cpu in tensorflow's place
            continue
    return found
