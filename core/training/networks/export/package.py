"""A trained network made into a model's folder, and checked before anyone is served by it."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime

import keras
import numpy as np

from core.errors import CatdogError
from core.model.classifier import Classifier
from core.model.manifest import KERAS, LITERT, Kind, Manifest, Outputs, record_file
from core.training.data.dataset import HELD_OUT, Dataset, spread
from core.training.model_folders import versions
from core.training.networks.architectures import ACTIVATION, LOGITS
from core.training.networks.export.litert import export
from core.training.networks.export.parity import Parity, measure_parity
from core.training.networks.fitting.batches import whole_photos
from core.training.networks.fitting.training_loop import Fitted
from core.training.networks.recipe import Recipe
from core.training.networks.run import Run

PARITY_PHOTOS = 1_000


def package(run: Run, fitted: Fitted, recipe: Recipe) -> Manifest:
    """Export a network to the staged folder, with a manifest that lacks calibration and figures.

    The weights are served in 16 bits if that changes next to nothing, else in 32. Raises
    CatdogError for an export whose logits are not the network's even so.
    """
    for bits in (16, 32):
        export(fitted.network, recipe, run.staged, half=bits == 16)
        manifest = _manifest(run, fitted, recipe)
        manifest.write(run.staged)
        parity = _parity(fitted.network, Classifier(run.staged), run.dataset, bits)
        if parity.holds:
            return manifest
    raise CatdogError(
        f"The exported model's logits differ from Keras's by {parity.largest_gap:.2g}. Report this "
        "with the versions that `catdog --version` prints."
    )


def _manifest(run: Run, fitted: Fitted, recipe: Recipe) -> Manifest:
    dataset = run.dataset
    recorded = {name: record_file(run.staged / name) for name in (LITERT, KERAS)}
    created = datetime.now(UTC)
    return Manifest(
        version=f"{created:%Y-%m-%d}-{recorded[LITERT].sha256[:8]}",
        created=created.isoformat(timespec="seconds"),
        kind=Kind.WHOLE,
        classes=dataset.classes,
        preprocessing=recipe.preprocessing,
        outputs=Outputs(LOGITS, ACTIVATION if ACTIVATION in fitted.network.output else None),
        temperature=1.0,
        files=recorded,
        data={
            "fingerprint": dataset.fingerprint,
            "files": run.files,
            "skipped": len(dataset.faults),
            "held_out_share": HELD_OUT,
            "training": dataset.count(dataset.training),
            "validation": dataset.count(dataset.validation),
            "left_out": dataset.count(dataset.of_held_out_sources),
        },
        recipe={
            **asdict(recipe),
            "epochs_done": len(fitted.history),
            "epoch_kept": fitted.kept,
            "seconds": round(fitted.seconds),
            "cores": os.cpu_count(),
            "history": [asdict(epoch) for epoch in fitted.history],
        },
        metrics={},
        versions=versions(("catdog", "keras", keras.backend.backend(), "numpy", "pillow")),
    )


def _parity(network: keras.Model, classifier: Classifier, dataset: Dataset, bits: int) -> Parity:
    """Compare them on photos: those held out, and where they are few, others besides."""
    some = spread(dataset.validation, PARITY_PHOTOS)
    if len(some) < PARITY_PHOTOS:  # one of few would decide alone
        some = np.concatenate([some, spread(dataset.training, PARITY_PHOTOS - len(some))])
    photos = whole_photos(dataset, some, classifier.preprocessing.size)
    return measure_parity(classifier, network, photos, bits=bits)
