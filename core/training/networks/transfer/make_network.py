"""A network that others build heads on, with its replay set and its first head."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass, classes_from_folders
from core.model.manifest import Manifest
from core.model.network import NETWORK_KERAS, NETWORK_LITERT, LiteRt, Network, NetworkInfo
from core.model.registry import OWN_NETWORK
from core.runtime.console import count_up
from core.runtime.durations import duration
from core.training.data.dataset import spread
from core.training.evaluation.measure import TEST, measure_test
from core.training.head.model_folder import write_first_head
from core.training.head.replay import write_replay
from core.training.model_folders import keep_network, versions, with_new_version
from core.training.networks.architectures.efficientnet_lite import efficientnet_lite
from core.training.networks.export.eight_bits import to_8_bits
from core.training.networks.fitting.batches import whole_photos
from core.training.networks.run import Run
from core.training.networks.transfer.learning import (
    CHECKPOINT_STEPS,
    Progress,
    Transferred,
    transfer,
)
from core.training.networks.transfer.replay_photos import FIT, replay_set
from core.training.networks.transfer.transfer_recipe import Transfer
from core.training.report.model_card import write_card

_RANGES_BY = 400  # photos that show the converter how large numbers get
_KEPT_BITS = 12  # of a weight's 23 bits of fraction, in network.keras


def make_network(run: Run, settings: Transfer) -> Manifest:
    """Train a network on a run's photos, and write it with a head to the run's staged folder."""
    made = _fit(run, settings)
    own = run.staged / OWN_NETWORK
    own.mkdir()
    served = _write_network(made, run, settings, own)
    with run.console.progress("Replay set", FIT) as on_progress:
        replay = replay_set(run.dataset, served, on_photo=count_up(on_progress))
    write_replay(replay, served)
    manifest = write_first_head(
        run.staged,
        replay,
        head_classes([one.folder for one in run.dataset.classes]),
        made.head,
        network=served.info.sha256,
        data={
            "fingerprint": run.dataset.fingerprint,
            "files": run.files,
            "skipped": len(run.dataset.faults),
            "training": run.dataset.count(run.dataset.training),
        },
    )
    manifest = with_new_version(manifest, run.models_dir)
    metrics = dict(manifest.metrics)
    if run.tested is not None:
        measured = measure_test(run.staged, run.tested.photos, run.console)
        metrics[TEST] = asdict(measured.evaluation)
    recipe = {**manifest.recipe, "seconds": round(run.seconds, 1)}
    manifest = replace(manifest, metrics=metrics, recipe=recipe)
    manifest.write(run.staged)
    write_card(manifest, run.staged)
    if run.output is None:
        keep_network(served, run.models_dir)
        shutil.rmtree(own)
    return manifest


def _fit(run: Run, settings: Transfer) -> Transferred:
    """Train with a line at each checkpoint, and an estimate of the time left."""
    with run.console.progress("Training", 1.0) as show:

        def on_progress(progress: Progress, steps: int) -> None:
            show(progress.step / steps)
            a_step = progress.seconds / min(progress.step, CHECKPOINT_STEPS)
            left = (steps - progress.step) * a_step
            run.console.say(
                f"Step {progress.step} of {steps}: loss {progress.loss:.3f}, accuracy "
                f"{progress.accuracy:.1%} on varied photos; about {duration(left)} left"
            )

        return transfer(run.dataset, settings, work=run.work, on_progress=on_progress)


def head_classes(folders: Collection[str]) -> tuple[PhotoClass, ...]:
    """Return the classes of a head: those of the photos, and *both*, which composites show."""
    return classes_from_folders({*folders, "both"})


def _write_network(made: Transferred, run: Run, settings: Transfer, folder: Path) -> Network:
    """Write network.keras, network.tflite and network.json to an empty folder."""
    dataset = run.dataset
    served = efficientnet_lite(settings.network, settings.size)
    served.set_weights([_rounded(weight) for weight in made.network.get_weights()])
    _save_small(served, folder / NETWORK_KERAS)
    photos = whole_photos(dataset, spread(dataset.training, _RANGES_BY), settings.size)
    content = to_8_bits(served, photos)
    (folder / NETWORK_LITERT).write_bytes(content)
    ((_, output),) = LiteRt(content, settings.size).outputs.items()
    scale, zero_point = output["quantization"]
    NetworkInfo(
        name=settings.network,
        sha256=hashlib.sha256(content).hexdigest(),
        preprocessing=settings.served,
        channels=int(output["shape"][-1]),
        scale=float(scale),
        zero_point=int(zero_point),
        files={NETWORK_KERAS: hashlib.sha256((folder / NETWORK_KERAS).read_bytes()).hexdigest()},
        training={
            **asdict(settings),
            "files": run.files,
            "fingerprint": dataset.fingerprint,
            "training": dataset.count(dataset.training),
            "validation": dataset.count(dataset.validation),
            "held_out_sources": dataset.count(dataset.of_held_out_sources),
            "curve": [asdict(one) for one in made.curve],
            "versions": versions(("catdog", "keras", keras.backend.backend(), "numpy", "pillow")),
        },
    ).write(folder)
    return Network(folder)


def _rounded(weight: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Round float32 weights to fewer bits, which compress to half the size."""
    step = np.uint32(1 << (23 - _KEPT_BITS))
    bits = np.ascontiguousarray(weight, np.float32).view(np.uint32)
    return ((bits + step // 2) & ~(step - np.uint32(1))).view(np.float32)


def _save_small(network: keras.Model, path: Path) -> None:
    """Save a network as Keras does, but with its parts compressed."""
    network.save(path, include_optimizer=False)
    with zipfile.ZipFile(path) as saved:
        parts = {name: saved.read(name) for name in saved.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for name, content in parts.items():
            small.writestr(name, content)
