"""One training run, from labelled folders to a model that can be served."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import repeat
from pathlib import Path

import keras
import numpy as np

from core.classifier import Classifier
from core.console import Console, count_up
from core.errors import CatdogError, UsageRefused
from core.image import display
from core.manifest import KERAS, LITERT, Manifest, Outputs, record_file
from core.model_store import UNFINISHED
from core.preprocessing import Preprocessing, load_photo
from core.probabilities import probabilities_from_logits
from core.training.architectures import ACTIVATION, LOGITS
from core.training.batches import steps_per_epoch
from core.training.calibrate import choose_threshold, fit_temperature
from core.training.card import write_card
from core.training.dataset import HELD_OUT, Dataset, LabelledFolder, load, scan
from core.training.evaluate import Evaluation, evaluate, figures, predict_labelled
from core.training.export import export
from core.training.fit import Epoch, Fitted, fit
from core.training.kinds import Kinds, read_kinds
from core.training.recipe import Recipe
from core.training.run_log import append_run, figures_by_source

RUN = "run.json"
_PARITY_PHOTOS = 50
_PARITY_TOLERANCE = 1e-3  # of the logits: LiteRT against Keras


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run."""

    folder: Path
    manifest: Manifest


def train(
    data: Path,
    recipe: Recipe,
    *,
    models_dir: Path,
    console: Console,
    output: Path | None = None,
    test: Path | None = None,
    kinds: Path | None = None,
    log: Path | None = None,
    resume: bool = False,
) -> Trained:
    """Train a model on the class folders in `data`.

    It is written to `output`, or as a new version to `models_dir`, whole or not at all. While
    it runs, its checkpoints stand in `models_dir/unfinished/`; `resume` goes on with the newest
    run there, whose settings must be the same. `test` is measured last, once, and chooses
    nothing. `kinds` is a file for `read_kinds`. A line about the finished run is appended to `log`.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    if output is not None and output.exists() and any(output.iterdir()):
        raise UsageRefused(f"{display(output)} is not empty. Name a new folder with --output.")
    labelled = scan(data)
    tested = scan(test) if test else None
    if tested and not tested.labels <= labelled.labels:
        raise UsageRefused(
            f"{display(tested.folder)} has classes that {display(data)} does not have. Name "
            "another folder with --test."
        )
    work = _work_folder(models_dir / UNFINISHED, resume=resume)
    console.say(
        f"{len(labelled.photos)} photos of {len(labelled.classes)} classes in {display(data)}"
        + (f", {labelled.not_photos} other files left alone" if labelled.not_photos else "")
    )
    try:
        with console.progress("Decoding", len(labelled.photos)) as told:
            dataset = load(labelled, recipe.stored_size, work=work, on_photo=count_up(told))
    except BaseException:  # Ctrl-C, too
        if not resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    for fault in dataset.faults:
        console.say(f"Skipped: {fault.reason}")
    finer = read_kinds(kinds, data, dataset) if kinds else None
    _check_same_run(work, dataset, recipe, finer)
    console.say(
        f"{len(dataset.training)} to learn from, {len(dataset.validation)} held out. "
        f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume."
    )
    fitted = _fit(dataset, recipe, finer, work, console)
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    export(fitted.network, recipe, staged)
    manifest = _provisional_manifest(labelled, dataset, recipe, finer, fitted, staged)
    if (models_dir / manifest.version).exists():  # the same run again, on the same day
        manifest = replace(manifest, version=f"{manifest.version}-{datetime.now(UTC):%H%M%S}")
    manifest.write(staged)
    _check_parity(fitted.network, Classifier(staged), dataset)
    manifest, sources = _calibrated(manifest, staged, dataset, console)
    manifest.write(staged)
    if tested is not None:
        manifest = _tested(manifest, staged, tested, console)
        manifest.write(staged)
    write_card(manifest, staged)
    folder = output or models_dir / manifest.version
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rmdir()  # it is empty: anything else was refused at the start
    arriving = folder.with_name(f"{folder.name}.part")  # which may be on another disk
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.move(staged, arriving)
    arriving.rename(folder)
    if log is not None:
        append_run(log, manifest, sources)
    del dataset  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return Trained(folder, manifest)


def _work_folder(unfinished: Path, *, resume: bool) -> Path:
    if resume:
        runs = sorted(path.parent for path in unfinished.glob(f"*/{RUN}"))
        if not runs:
            raise UsageRefused(
                f"There is no unfinished run in {display(unfinished)}. Leave out --resume."
            )
        return runs[-1]
    work = unfinished / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    work.mkdir(parents=True)
    return work


def _check_same_run(work: Path, dataset: Dataset, recipe: Recipe, kinds: Kinds | None) -> None:
    settings = json.loads(json.dumps(asdict(recipe)))
    settings["kinds"] = len(kinds.names) if kinds else 0
    now = {"recipe": settings, "fingerprint": dataset.fingerprint}
    path = work / RUN
    if not path.exists():
        path.write_text(json.dumps(now, indent=1), encoding="utf-8")
        return
    then = json.loads(path.read_text(encoding="utf-8"))
    if then["fingerprint"] != now["fingerprint"]:
        raise UsageRefused(
            "The photos are not those that the unfinished run began with. Put them back, or "
            "start anew without --resume."
        )
    if then != now:
        changed = [key for key, value in settings.items() if then["recipe"].get(key) != value]
        raise UsageRefused(
            f"The unfinished run began with other settings ({', '.join(changed)}). Give the "
            "same, or start anew without --resume."
        )


def _fit(
    dataset: Dataset, recipe: Recipe, kinds: Kinds | None, work: Path, console: Console
) -> Fitted:
    steps = steps_per_epoch(dataset, recipe)
    # the work of an epoch grows with the pixels; the time left is guessed from that
    costs = [c for stage in recipe.stages for c in repeat(stage.size**2, stage.epochs)]
    before = [0, *np.cumsum(costs).tolist()]

    def work_done(step: int) -> float:
        epoch, within = divmod(step, steps)
        return float(before[epoch] + (costs[epoch] * within / steps if within else 0))

    seconds = 0.0
    first_done: float | None = None

    def on_epoch(epoch: Epoch) -> None:
        nonlocal seconds, first_done
        if first_done is None:
            first_done = before[epoch.number - 1]
        seconds += epoch.seconds
        done = before[epoch.number]
        left = seconds / (done - first_done) * (before[-1] - done)
        console.say(
            f"Epoch {epoch.number} of {recipe.epochs} at {epoch.size} px: "
            f"loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.1%}; held out "
            f"{epoch.validation_loss:.3f}, {epoch.validation_accuracy:.1%}; "
            f"{epoch.seconds:.0f} s, about {left / 60:.0f} min left"
        )

    with console.progress("Training", before[-1]) as told:
        return fit(
            dataset,
            recipe,
            work=work,
            kinds=kinds,
            on_step=lambda step: told(work_done(step)),
            on_epoch=on_epoch,
        )


def _provisional_manifest(
    labelled: LabelledFolder,
    dataset: Dataset,
    recipe: Recipe,
    kinds: Kinds | None,
    fitted: Fitted,
    staged: Path,
) -> Manifest:
    """Everything but what only the exported model can tell."""
    files = {name: record_file(staged / name) for name in (LITERT, KERAS)}
    created = datetime.now(UTC)
    return Manifest(
        version=f"{created:%Y-%m-%d}-{files[LITERT].sha256[:8]}",
        created=created.isoformat(timespec="seconds"),
        classes=dataset.classes,
        preprocessing=Preprocessing(recipe.size, recipe.stored_size),
        outputs=Outputs(LOGITS, ACTIVATION),
        temperature=1.0,
        threshold=0.5,
        files=files,
        data={
            "fingerprint": dataset.fingerprint,
            "files": len(labelled.photos),
            "skipped": len(dataset.faults),
            "held_out_share": HELD_OUT,
            "kinds": len(kinds.names) if kinds else 0,
            "training": dataset.count(dataset.training),
            "validation": dataset.count(dataset.validation),
        },
        recipe={
            **asdict(recipe),
            "epochs_done": len(fitted.history),
            "seconds": round(fitted.seconds),
            "cores": os.cpu_count(),
            "history": [asdict(epoch) for epoch in fitted.history],
        },
        metrics={},
        versions=_versions(),
    )


def _check_parity(network: keras.Model, classifier: Classifier, dataset: Dataset) -> None:
    """Refuse an export whose logits are not the network's."""
    preprocessing = classifier.manifest.preprocessing
    batch = np.stack(
        [
            load_photo(dataset.photos[index].path, preprocessing)
            for index in dataset.validation[:_PARITY_PHOTOS]
        ]
    )
    expected = keras.ops.convert_to_numpy(network(batch, training=False)[LOGITS])
    gap = float(np.abs(classifier.logits(batch) - expected).max())
    if not gap <= _PARITY_TOLERANCE:
        raise CatdogError(
            f"The exported model's logits differ from Keras's by {gap:.2g}, more than "
            f"{_PARITY_TOLERANCE:g}. Report this with the versions that `catdog --version` prints."
        )


def _calibrated(
    manifest: Manifest, staged: Path, dataset: Dataset, console: Console
) -> tuple[Manifest, dict[str, Evaluation]]:
    """Choose temperature and threshold on the photos held out; measure these by source, too."""
    photos = [dataset.photos[index] for index in dataset.validation]
    with console.progress("Calibrating", len(photos)) as told:
        predicted = predict_labelled(Classifier(staged), photos, on_photo=count_up(told))
    logits = np.log(np.maximum(predicted.probabilities, 1e-300))  # up to a constant a row
    temperature = round(fit_temperature(logits, predicted.targets), 4)
    probabilities = probabilities_from_logits(logits, temperature)
    threshold = choose_threshold(probabilities, predicted.targets, manifest.classes)
    validation = figures(probabilities, predicted.targets, manifest.classes, threshold)
    manifest = replace(
        manifest,
        temperature=temperature,
        threshold=threshold,
        metrics={"validation": asdict(validation)},
    )
    skipped = {fault.path for fault in predicted.faults}
    measured = [photo for photo in photos if photo.path not in skipped]
    return manifest, figures_by_source(probabilities, predicted.targets, measured, manifest)


def _tested(manifest: Manifest, staged: Path, tested: LabelledFolder, console: Console) -> Manifest:
    with console.progress("Testing", len(tested.photos)) as told:
        measured = evaluate(Classifier(staged), tested.photos, on_photo=count_up(told))
    return replace(manifest, metrics={**manifest.metrics, "test": asdict(measured.evaluation)})


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("catdog", "keras", keras.backend.backend(), "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as tensorflow-cpu in tensorflow's place
            continue
    return found
