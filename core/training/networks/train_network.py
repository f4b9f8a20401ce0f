"""One training of a whole network, from labelled folders to a model that can be served."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from core.model.manifest import Manifest
from core.model.registry import UNFINISHED
from core.paths import display
from core.runtime.console import Console
from core.runtime.output_files import refuse_if_not_empty
from core.training.data.dataset import HELD_OUT
from core.training.data.inputs import Inputs, TrainContext, decode, gather
from core.training.data.train_options import TrainOptions
from core.training.model_folders import put_in_place
from core.training.networks.from_scratch import make_from_scratch, suited
from core.training.networks.recipe import Recipe
from core.training.networks.run import Run
from core.training.networks.transfer.make_network import make_network
from core.training.networks.transfer.transfer_recipe import Transfer
from core.training.networks.unfinished import check_same_run, run_folder
from core.training.one_progress import one_progress


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A finished training."""

    folder: Path
    manifest: Manifest


def train_network(
    options: TrainOptions, recipe: Recipe | Transfer, context: TrainContext
) -> TrainedNetwork:
    """Train a network on class folders.

    It is written to the output folder, or as a new version to the models folder, whole or not at
    all. While it runs, its checkpoints stand in `unfinished/` there; `resume` goes on with the
    newest run, whose settings must be the same, and `finish` makes a model of how far it came. The
    test is measured last, once, and chooses nothing. Photos of held-out sources are kept for
    calibration.

    Raises UsageRefused for data that cannot be learnt from and for settings that do not fit.
    """
    if options.output is not None:
        refuse_if_not_empty(options.output, "--output")
    begun = time.monotonic()
    inputs = gather(options, context)
    with one_progress(context.console, "Training", _shares(inputs, recipe)) as console:
        return _trained(options, recipe, inputs, context.models_dir, console, begun)


def _shares(inputs: Inputs, recipe: Recipe | Transfer) -> dict[str, float]:
    """Estimate how the time is divided, in photos that are decoded."""
    photos = len(inputs.labelled.photos)
    if isinstance(recipe, Transfer):
        training, after = 5.0 * photos * recipe.epochs, {"Replay set": float(photos)}
    else:
        passes = sum(stage.epochs * (stage.size / 128) ** 2 for stage in recipe.stages)
        training, after = 0.6 * photos * passes, {"Calibrating": HELD_OUT * photos}
    tested = len(inputs.tested.photos) if inputs.tested else 0
    return {"Decoding": photos, "Training": training, **after, "Testing": tested}


def _trained(
    options: TrainOptions,
    recipe: Recipe | Transfer,
    inputs: Inputs,
    models_dir: Path,
    console: Console,
    begun: float,
) -> TrainedNetwork:
    resumed = recipe.network if options.resume else None
    work = run_folder(models_dir / UNFINISHED, resume=resumed, console=console)
    try:
        dataset = decode(inputs, recipe.preprocessing, work=work, console=console)
    except BaseException:  # Ctrl-C, too
        if not options.resume:
            shutil.rmtree(work)  # nothing has begun
        raise
    if isinstance(recipe, Recipe):
        recipe = suited(recipe, dataset, console)
    check_same_run(work, dataset, recipe, options.held_out_sources)
    console.say(f"Checkpoints are in {display(work)}; an interrupted run goes on with --resume.")
    staged = work / "model"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    run = Run(
        dataset=dataset,
        files=len(inputs.labelled.photos),
        tested=inputs.tested,
        work=work,
        staged=staged,
        models_dir=models_dir,
        output=options.output,
        finish=options.finish,
        console=console,
        begun=begun,
    )
    if isinstance(recipe, Transfer):
        manifest = make_network(run, recipe)
    else:
        manifest = make_from_scratch(run, recipe)
    folder = put_in_place(staged, options.output or models_dir / manifest.version)
    del dataset, run  # Windows removes no file that is mapped
    shutil.rmtree(work, ignore_errors=True)
    return TrainedNetwork(folder, manifest)
