"""One training of a whole network, from labelled folders to a model that can be served."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.model.manifest import Manifest
from core.model.registry import UNFINISHED
from core.paths import display
from core.runtime.console import Console
from core.runtime.output_files import refuse_if_not_empty
from core.training.data.dataset import HELD_OUT
from core.training.data.inputs import Inputs, Known, decode, gather
from core.training.model_folders import arrive, with_new_version
from core.training.networks.export.judge import calibrate, judge_by
from core.training.networks.export.package import package
from core.training.networks.fitting.progress import fit_with_progress
from core.training.networks.recipe import Recipe
from core.training.networks.suited import suited
from core.training.networks.unfinished import check_same_run, work_folder
from core.training.one_progress import one_progress
from core.training.report.model_card import write_card
from core.training.report.training_page import Training, write_report


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class _Whereto:
    """Where a run writes, and whether it goes on with one that was interrupted."""

    models_dir: Path
    output: Path | None
    resume: bool
    finish: bool


def train(
    data: Path,
    recipe: Recipe,
    *,
    models_dir: Path,
    console: Console,
    output: Path | None = None,
    test: Path | None = None,
    sources: Path | None = None,
    leave_out: Collection[str] = (),
    known: Known | None = None,
    resume: bool = False,
    finish: bool = False,
) -> Trained:
    """Train a network on the class folders in `data`.

    It is written to `output`, or as a new version to `models_dir`, whole or not at all. While
    it runs, its checkpoints stand in `models_dir/unfinished/`; `resume` goes on with the newest
    run there, whose settings must be the same, and `finish` makes a model of how far it came.
    `test` is measured last, once, and chooses nothing. Photos of the sources in `leave_out` are
    kept for calibration. Photos that catdog filed, as `known` tells, and nobody corrected are not
    learnt from, or if it says so learnt from and never held out.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    if output is not None:
        refuse_if_not_empty(output, "--output")
    inputs = gather(
        data, known or Known(), console=console, test=test, leave_out=leave_out, sources=sources
    )
    shares = _shares(inputs, recipe)
    with one_progress(console, "Training", shares) as console:
        return _trained(
            inputs,
            recipe,
            _Whereto(models_dir, output, resume=resume, finish=finish),
            leave_out,
            console,
        )


def _shares(inputs: Inputs, recipe: Recipe) -> dict[str, float]:
    """Guess how the time is divided, in photos that are decoded."""
    photos = len(inputs.labelled.photos)
    passes = sum(stage.epochs * (stage.size / 128) ** 2 for stage in recipe.stages)
    return {
        "Decoding": photos,
        "Training": 0.6 * photos * passes,
        "Calibrating": HELD_OUT * photos,
        "Testing": len(inputs.tested.photos) if inputs.tested else 0,
    }


def _trained(
    inputs: Inputs,
    recipe: Recipe,
    to: _Whereto,
    leave_out: Collection[str],
    console: Console,
) -> Trained:
    work = work_folder(
        to.models_dir / UNFINISHED, resume=recipe.network if to.resume else None, console=console
    )
    try:
        dataset = decode(
            inputs, recipe.preprocessing, leave_out=leave_out, work=work, console=console
        )
    except BaseException:  # Ctrl-C, too
        if not to.resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    recipe = suited(recipe, dataset, console)
    check_same_run(work, dataset, recipe, leave_out)
    console.say(f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume.")
    fitted = fit_with_progress(dataset, recipe, work=work, console=console, finish=to.finish)
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    manifest = package(fitted, dataset, recipe, staged, files=len(inputs.labelled.photos))
    manifest = with_new_version(manifest, to.models_dir)
    judged = calibrate(manifest, staged, dataset, console)
    judged.manifest.write(staged)
    if inputs.tested is not None:
        judged = judge_by(judged, staged, inputs.tested, console)
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
    folder = arrive(staged, to.output or to.models_dir / manifest.version)
    del dataset  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return Trained(folder, manifest)
