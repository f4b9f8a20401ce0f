"""One training run, from labelled folders to a model that can be served."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np

from core.classifier import Classifier
from core.console import Console, count_up
from core.errors import CatdogError, UsageRefused
from core.image import display
from core.manifest import KERAS, LITERT, Manifest, Outputs, read_manifest, record_file
from core.model_store import UNFINISHED
from core.preprocessing import Preprocessing, load_photo
from core.store import Store
from core.training.architectures import ACTIVATION, LOGITS
from core.training.card import write_card
from core.training.corrections import guesses, with_feedback, without
from core.training.dataset import HELD_OUT, Dataset, load
from core.training.export import export
from core.training.fine_tune import fine_tune, with_classes_of
from core.training.fit import Fitted
from core.training.judge import calibrate, judge_by
from core.training.labelled import LabelledFolder, scan, scan_parts
from core.training.progress import fit_with_progress
from core.training.recipe import Recipe
from core.training.report.training_page import Training, write_report
from core.training.run_log import append_run
from core.training.sources import source_of

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
    leave_out: Collection[str] = (),
    log: Path | None = None,
    store: Store | None = None,
    feedback: bool = False,
    trust_filed: bool = False,
    current: Path | None = None,
    resume: bool = False,
) -> Trained:
    """Train a model on the class folders in `data`.

    It is written to `output`, or as a new version to `models_dir`, whole or not at all. While
    it runs, its checkpoints stand in `models_dir/unfinished/`; `resume` goes on with the newest
    run there, whose settings must be the same. `test` is measured last, once, and chooses
    nothing. Photos of the sources in `leave_out` are kept for calibration. A line about the
    finished run is appended to `log`. Photos that catdog filed, as `store` knows, and nobody
    corrected are not learnt from, or with `trust_filed` learnt from and never held out; with
    `feedback` the photos that people labelled are learnt from besides. With `current`, a model's
    folder, that model goes on learning, as `recipe` must have been made for.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    if output is not None and output.exists() and any(output.iterdir()):
        raise UsageRefused(f"{display(output)} is not empty. Name a new folder with --output.")
    labelled, own_test = scan_parts(data)
    test = test or own_test
    if missing := set(leave_out) - {source_of(photo.path) for photo in labelled.photos}:
        raise UsageRefused(
            f"No photo in {display(data)} is of the source {sorted(missing)[0]!r}: a source is "
            "the first word of names such as kaggle-00012.jpg. Name another with --leave-out."
        )
    labelled, guessed = _with_what_is_known(
        labelled, store, console, feedback=feedback, trust_filed=trust_filed
    )
    if current is not None:
        labelled = with_classes_of(labelled, read_manifest(current))
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
            dataset = load(
                labelled,
                recipe.stored_size,
                work=work,
                leave_out=leave_out,
                never_held_out=guessed,
                on_photo=count_up(told),
            )
    except BaseException:  # Ctrl-C, too
        if not resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    for fault in dataset.faults:
        console.say(f"Skipped: {fault.reason}")
    _check_same_run(work, dataset, recipe, leave_out)
    console.say(
        f"{len(dataset.training)} to learn from, {len(dataset.validation)} held out"
        + (f", {len(dataset.left_out)} left out. " if len(dataset.left_out) else ". ")
        + f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume."
    )
    if current is None:
        fitted = fit_with_progress(dataset, recipe, work=work, console=console)
    else:
        fitted = fine_tune(dataset, recipe, current, work=work, console=console)
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    export(fitted.network, recipe, staged)
    manifest = _provisional_manifest(labelled, dataset, recipe, fitted, staged)
    if (models_dir / manifest.version).exists():  # the same run again, on the same day
        manifest = replace(manifest, version=f"{manifest.version}-{datetime.now(UTC):%H%M%S}")
    manifest.write(staged)
    _check_parity(fitted.network, Classifier(staged), dataset)
    judged = calibrate(manifest, staged, dataset, console)
    judged.manifest.write(staged)
    if tested is not None:
        judged = judge_by(judged, staged, tested, console)
    manifest = judged.manifest
    manifest.write(staged)
    write_card(manifest, staged)
    write_report(
        Training(
            manifest=manifest,
            history=fitted.history,
            parts=judged.evaluations,
            sources=judged.sources,
            shown=judged.last,
            predicted=judged.predicted[judged.last],
            faults=dataset.faults,
        ),
        staged,
    )
    folder = output or models_dir / manifest.version
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rmdir()  # it is empty: anything else was refused at the start
    arriving = folder.with_name(f"{folder.name}.part")  # which may be on another disk
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.move(staged, arriving)
    arriving.rename(folder)
    if log is not None:
        append_run(log, manifest, judged.sources)
    del dataset  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return Trained(folder, manifest)


def _with_what_is_known(
    labelled: LabelledFolder,
    store: Store | None,
    console: Console,
    *,
    feedback: bool,
    trust_filed: bool,
) -> tuple[LabelledFolder, frozenset[Path]]:
    """Add what people said and take away what catdog guessed, and tell of both.

    Returns: the photos, and those of them that are guesses all the same.
    """
    if store is None:
        return labelled, frozenset()
    guessed = guesses(labelled, store)
    if guessed and trust_filed:
        console.say(f"{len(guessed)} photos that catdog filed are learnt from, and not held out.")
    elif guessed:
        labelled = without(labelled, guessed)
        console.say(
            f"{len(guessed)} photos that catdog filed are left out: nobody said that they are "
            "right. --trust-filed learns from them, too."
        )
        guessed = frozenset()
    if feedback:
        corrected = with_feedback(labelled, store)
        labelled = corrected.labelled
        for fault in corrected.faults:
            console.say(f"Skipped: {fault.reason}")
        console.say(
            f"{corrected.added} photos that people labelled are learnt from besides; "
            f"{corrected.missing} are not found any more, or were never kept."
        )
    return labelled, guessed


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


def _check_same_run(
    work: Path, dataset: Dataset, recipe: Recipe, leave_out: Collection[str]
) -> None:
    settings = json.loads(json.dumps(asdict(recipe)))
    settings["leave_out"] = sorted(leave_out)
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


def _provisional_manifest(
    labelled: LabelledFolder,
    dataset: Dataset,
    recipe: Recipe,
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
        outputs=Outputs(LOGITS, ACTIVATION if ACTIVATION in fitted.network.output else None),
        temperature=1.0,
        threshold=0.5,
        files=files,
        data={
            "fingerprint": dataset.fingerprint,
            "files": len(labelled.photos),
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


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("catdog", "keras", keras.backend.backend(), "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as tensorflow-cpu in tensorflow's place
            continue
    return found
