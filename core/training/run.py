"""One training run, from labelled folders to a model that can be served."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from core.console import Console
from core.errors import UsageRefused
from core.manifest import Manifest, read_manifest
from core.model_store import UNFINISHED
from core.paths import display
from core.training.card import write_card
from core.training.compare import Comparison
from core.training.corrections import left_alone
from core.training.dataset import Dataset
from core.training.fine_tune import fine_tune
from core.training.fit import Fitted
from core.training.inputs import Known, decode, gather
from core.training.judge import VALIDATION, calibrate, judge_by
from core.training.label_faults import firmly_wrong
from core.training.package import package
from core.training.progress import fit_with_progress
from core.training.recipe import Recipe
from core.training.report.mistakes import Mistake
from core.training.report.training_page import Training, write_report
from core.training.trial import record_learnt, try_against
from core.training.unfinished import check_same_run, work_folder


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run."""

    folder: Path
    manifest: Manifest
    comparison: Comparison | None  # with the model that serves
    suspicious: tuple[Mistake, ...]  # photos whose labels look wrong, the firmest first


def train(
    data: Path,
    recipe: Recipe,
    *,
    models_dir: Path,
    console: Console,
    output: Path | None = None,
    test: Path | None = None,
    leave_out: Collection[str] = (),
    known: Known | None = None,
    current: Path | None = None,
    against: Path | None = None,
    resume: bool = False,
    finish: bool = False,
) -> Trained:
    """Train a model on the class folders in `data`.

    It is written to `output`, or as a new version to `models_dir`, whole or not at all. While
    it runs, its checkpoints stand in `models_dir/unfinished/`; `resume` goes on with the newest
    run there, whose settings must be the same, and `finish` makes a model of how far it came.
    `test` is measured last, once, and chooses nothing. Photos of the sources in `leave_out` are
    kept for calibration.

    Photos that catdog filed, as `known` tells, and nobody corrected are not learnt from, or if it
    says so learnt from and never held out. With `current`, a model's folder, that model goes on
    learning, as `recipe` must have been made for. The result is compared with the model in
    `against`.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    if output is not None and output.exists() and any(output.iterdir()):
        raise UsageRefused(f"{display(output)} is not empty. Name a new folder with --output.")
    known = known or Known()
    inputs = gather(data, known, console=console, test=test, leave_out=leave_out, current=current)
    work = work_folder(models_dir / UNFINISHED, resume=resume)
    try:
        dataset = decode(inputs, recipe, leave_out=leave_out, work=work, console=console)
    except BaseException:  # Ctrl-C, too
        if not resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    check_same_run(work, dataset, recipe, leave_out)
    console.say(f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume.")

    def learn(part: Dataset, folder: Path, console: Console, finish: bool = False) -> Fitted:
        if current is None:
            return fit_with_progress(part, recipe, work=folder, console=console, finish=finish)
        return fine_tune(part, recipe, current, work=folder, console=console, finish=finish)

    fitted = learn(dataset, work, console, finish)
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    manifest = package(fitted, dataset, recipe, staged, files=len(inputs.labelled.photos))
    if (models_dir / manifest.version).exists():  # the same run again, on the same day
        manifest = replace(manifest, version=f"{manifest.version}-{datetime.now(UTC):%H%M%S}")
    judged = calibrate(
        manifest, staged, dataset, console, before=read_manifest(current) if current else None
    )
    judged.manifest.write(staged)
    record_learnt(staged, dataset, current)
    comparison, out_of_sample = None, judged.predicted[VALIDATION]
    if against is not None:
        trial = try_against(
            against,
            judged,
            dataset,
            recipe,
            learn,
            folder=staged,
            guessed=inputs.guessed,
            left_alone=left_alone(known.store) if known.store else (),
            work=work,
            console=console,
        )
        comparison, out_of_sample = trial.comparison, trial.predicted
    if inputs.tested is not None:
        judged = judge_by(judged, staged, inputs.tested, console)
    manifest = judged.manifest
    manifest.write(staged)
    write_card(manifest, staged)
    suspicious = tuple(firmly_wrong(out_of_sample, manifest.labels))
    write_report(
        Training(
            manifest=manifest,
            history=fitted.history,
            parts=judged.evaluations,
            sources=judged.sources,
            shown=judged.last,
            predicted=judged.predicted[judged.last],
            faults=dataset.faults,
            suspicious=suspicious,
            comparison=comparison,
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
    del dataset  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return Trained(folder, manifest, comparison, suspicious)
