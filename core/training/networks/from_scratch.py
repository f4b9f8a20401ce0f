"""A network trained from scratch, made into a model with its report."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import keras
import numpy as np

from core.errors import UsageRefused
from core.model.manifest import Manifest
from core.runtime.console import Console
from core.runtime.durations import duration
from core.training.data.dataset import Dataset
from core.training.evaluation.epochs import Epoch
from core.training.model_folders import with_new_version
from core.training.networks.architectures import build
from core.training.networks.export.judge import judge
from core.training.networks.export.package import package
from core.training.networks.fitting.batches import steps_per_epoch
from core.training.networks.fitting.training_loop import Fitted, best_so_far, fit, outputs_for
from core.training.networks.recipe import Recipe
from core.training.networks.run import Run
from core.training.report.model_card import write_card
from core.training.report.training_page import Training, write_report


def make_from_scratch(run: Run, recipe: Recipe) -> Manifest:
    """Train a network on a run's photos, and write it to the run's staged folder."""
    fitted = best_so_far(run.dataset, recipe, run.work) if run.finish else _fit(run, recipe)
    run.console.say(kept_line(fitted.history, fitted.kept, recipe))
    manifest = with_new_version(package(run, fitted, recipe), run.models_dir)
    judged = judge(run, manifest)
    write_card(judged.manifest, run.staged)
    write_report(
        Training(
            manifest=judged.manifest,
            history=fitted.history,
            parts=judged.evaluations,
            sources=judged.sources,
            shown=judged.last,
            predicted=judged.predicted[judged.last],
            faults=run.dataset.faults,
        ),
        run.staged,
    )
    return judged.manifest


def suited(recipe: Recipe, dataset: Dataset, console: Console) -> Recipe:
    """Suit a recipe to so few photos as there are, with a line about what that changes.

    Raises UsageRefused for a network that cannot be built.
    """
    suits = recipe.with_batches_for(len(dataset.training))
    if suits != recipe:
        console.say(
            f"Batches of {suits.batch_size} photos, not {recipe.batch_size}: there are so few that "
            "an epoch would be hardly a step."
        )
    try:
        network = build(suits, outputs_for(dataset))
    except ValueError as error:
        raise UsageRefused(
            f"{recipe.network} cannot be built with these settings: {error}"
        ) from error
    kinds = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.BatchNormalization)
    if recipe.is_own and not any(isinstance(layer, kinds) for layer in network.layers[2].layers):
        console.say(
            f"{recipe.network} does not rescale: it gets pixels from 0 to 255 as they are. Begin "
            "with keras.layers.Rescaling(1 / 255)."
        )
    return suits


def _fit(run: Run, recipe: Recipe) -> Fitted:
    """Fit with a line about each epoch, and an estimate of the time left."""
    steps = steps_per_epoch(run.dataset, recipe)
    # the work of an epoch grows with the pixels
    costs = [c for stage in recipe.stages for c in repeat(stage.size**2, stage.epochs)]
    before = [0, *np.cumsum(costs).tolist()]
    seconds: list[float] = []

    with run.console.progress("Training", before[-1]) as on_progress:

        def on_step(step: int) -> None:
            epoch, within = divmod(step, steps)
            on_progress(before[epoch] + (costs[epoch] * within / steps if within else 0))

        def on_epoch(epoch: Epoch) -> None:
            seconds.append(epoch.seconds)
            done = before[epoch.number] - before[epoch.number - len(seconds)]  # since it began
            left = sum(seconds) / done * (before[-1] - before[epoch.number])
            run.console.say(
                f"Epoch {epoch.number} of {recipe.epochs} at {epoch.size} px: "
                f"loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.1%}; held out "
                f"{epoch.validation_loss:.3f}, {epoch.validation_accuracy:.1%}; "
                f"{duration(epoch.seconds)}" + (f", about {duration(left)} left" if left else "")
            )

        return fit(run.dataset, recipe, work=run.work, on_step=on_step, on_epoch=on_epoch)


def kept_line(history: Sequence[Epoch], kept: int, recipe: Recipe) -> str:
    """Return which epoch's network is kept, and whether training ended before the last one."""
    ended = ""
    if len(history) < recipe.epochs:
        ended = f"Ended after epoch {len(history)} of {recipe.epochs}"
        if recipe.patience is not None:
            ended += f": {recipe.patience} without a better one (--set patience)"
        ended += ". "
    return (
        f"{ended}The network of epoch {kept} is kept: {history[kept - 1].validation_accuracy:.1%} "
        "of the photos held out are right."
    )
