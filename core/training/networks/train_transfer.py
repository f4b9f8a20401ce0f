"""One training of a network that others build heads on, and of the head that comes with it."""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from core.labels import PhotoClass, classes_from_folders
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.network import NETWORK_KERAS, NETWORK_LITERT, LiteRt, Network, NetworkInfo
from core.model.preprocessing import Preprocessing
from core.model.registry import OWN_NETWORK, UNFINISHED
from core.paths import display
from core.runtime.console import Console, count_up
from core.runtime.durations import duration
from core.runtime.output_files import refuse_if_not_empty
from core.training.data.dataset import Dataset, spread
from core.training.data.inputs import Known, decode, gather
from core.training.evaluation.measure import evaluate
from core.training.head.base_model import keep_network
from core.training.head.first_head import write_first_head
from core.training.head.replay import write_replay
from core.training.head.train_head import TEST
from core.training.model_folders import arrive, with_new_version
from core.training.networks.architectures.efficientnet_lite import efficientnet_lite
from core.training.networks.export.eight_bits import to_8_bits
from core.training.networks.fitting.batches import whole_photos
from core.training.networks.transfer.learning import (
    CHECKPOINT_STEPS,
    Progress,
    Transfer,
    Transferred,
    transfer,
)
from core.training.networks.transfer.replay_photos import FIT, replay_set
from core.training.networks.unfinished import check_same_run, work_folder
from core.training.report.model_card import write_card
from core.training.versions import versions

SHORTER_SIDE = 140  # pixels: photos to learn from are of one sharpness, whatever their source
_RANGES_BY = 400  # photos that show the converter how large numbers get
_KEPT_BITS = 12  # of a weight's 23 bits of fraction, in network.keras


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A finished run."""

    folder: Path
    manifest: Manifest


def train_network(
    data: Path,
    settings: Transfer,
    *,
    models_dir: Path,
    console: Console,
    output: Path | None = None,
    test: Path | None = None,
    sources: Path | None = None,
    hold_out: Collection[str] = (),
    known: Known | None = None,
    resume: bool = False,
) -> TrainedNetwork:
    """Train a network on the class folders in `data`, and a head on its replay set.

    The model is written to `output`, the network within, or as a new version to `models_dir`,
    whole or not at all. While it runs, its checkpoints stand in `models_dir/unfinished/`; `resume`
    goes on with the newest run there, whose settings must be the same. Photos of the sources in
    `hold_out` are never learnt from. `test` is measured last, once, and chooses nothing.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    begun = time.monotonic()
    if output is not None:
        refuse_if_not_empty(output, "--output")
    inputs = gather(
        data, known or Known(), console=console, test=test, leave_out=hold_out, sources=sources
    )
    work = work_folder(
        models_dir / UNFINISHED, resume=settings.network if resume else None, console=console
    )
    learnt_as = Preprocessing(settings.stored_size, settings.stored_size, SHORTER_SIDE)
    try:
        dataset = decode(inputs, learnt_as, leave_out=hold_out, work=work, console=console)
    except BaseException:  # Ctrl-C, too
        if not resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    check_same_run(work, dataset, settings, hold_out)
    console.say(f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume.")
    made = _fitted(dataset, settings, work, console)
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    (staged / OWN_NETWORK).mkdir(parents=True)
    served = _write_network(
        made, dataset, settings, staged / OWN_NETWORK, len(inputs.labelled.photos)
    )
    with console.progress("Replay set", FIT) as told:
        replay = replay_set(dataset, served, on_photo=count_up(told))
    write_replay(replay, served)
    manifest = write_first_head(
        staged,
        replay,
        head_classes([one.folder for one in dataset.classes]),
        made.head,
        network=served.info.sha256,
        data={
            "fingerprint": dataset.fingerprint,
            "files": len(inputs.labelled.photos),
            "skipped": len(dataset.faults),
            "training": dataset.count(dataset.training),
        },
    )
    manifest = with_new_version(manifest, models_dir)
    metrics = dict(manifest.metrics)
    if inputs.tested is not None:
        with console.progress("Testing", len(inputs.tested.photos)) as told:
            measured = evaluate(Classifier(staged), inputs.tested.photos, on_photo=count_up(told))
        metrics[TEST] = asdict(measured.evaluation)
    manifest = replace(
        manifest,
        metrics=metrics,
        recipe={**manifest.recipe, "seconds": round(time.monotonic() - begun, 1)},
    )
    manifest.write(staged)
    write_card(manifest, staged)
    if output is None:
        keep_network(served, models_dir)
        shutil.rmtree(staged / OWN_NETWORK)
    folder = arrive(staged, output or models_dir / manifest.version)
    del dataset  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return TrainedNetwork(folder, manifest)


def _fitted(dataset: Dataset, settings: Transfer, work: Path, console: Console) -> Transferred:
    """Train with a line at each checkpoint, and a guess of the time left."""
    with console.progress("Training", 1.0) as told:

        def on_progress(progress: Progress, steps: int) -> None:
            told(progress.step / steps)
            a_step = progress.seconds / min(progress.step, CHECKPOINT_STEPS)
            left = (steps - progress.step) * a_step
            console.say(
                f"Step {progress.step} of {steps}: loss {progress.loss:.3f}, accuracy "
                f"{progress.accuracy:.1%} on varied photos; about {duration(left)} left"
            )

        sources = [photo.source or "" for photo in dataset.photos]
        return transfer(dataset, sources, settings, work=work, on_progress=on_progress)


def head_classes(folders: Collection[str]) -> tuple[PhotoClass, ...]:
    """Name the classes of a head: those of the photos, and *both*, which composites show."""
    return classes_from_folders({*folders, "both"})


def _write_network(
    made: Transferred,
    dataset: Dataset,
    settings: Transfer,
    folder: Path,
    files: int,
) -> Network:
    """Write network.keras, network.tflite and network.json to an empty folder."""
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
        preprocessing=Preprocessing(settings.size, settings.size),
        channels=int(output["shape"][-1]),
        scale=float(scale),
        zero_point=int(zero_point),
        files={NETWORK_KERAS: hashlib.sha256((folder / NETWORK_KERAS).read_bytes()).hexdigest()},
        training={
            **asdict(settings),
            "files": files,
            "fingerprint": dataset.fingerprint,
            "training": dataset.count(dataset.training),
            "validation": dataset.count(dataset.validation),
            "held_out_sources": dataset.count(dataset.left_out),
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
    parts = {}
    with zipfile.ZipFile(path) as saved:
        for name in saved.namelist():
            parts[name] = saved.read(name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for name, content in parts.items():
            small.writestr(name, content)
