"""Training that tells how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from core.runtime.console import Console
from core.runtime.durations import duration
from core.training.data.dataset import Dataset
from core.training.evaluation.epochs import Epoch
from core.training.networks.fitting.batches import steps_per_epoch
from core.training.networks.fitting.training_loop import Fitted, fit
from core.training.networks.recipe import Recipe


def fit_with_progress(
    dataset: Dataset,
    recipe: Recipe,
    *,
    work: Path,
    console: Console,
    finish: bool = False,
) -> Fitted:
    """Fit as `fit` does, with a line about each epoch and a guess of the time left."""
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
            f"{duration(epoch.seconds)}" + (f", about {duration(left)} left" if left else "")
        )

    with console.progress("Training", before[-1]) as told:
        fitted = fit(
            dataset,
            recipe,
            work=work,
            finish=finish,
            on_step=lambda step: told(work_done(step)),
            on_epoch=on_epoch,
        )
    console.say(what_was_kept(fitted.history, fitted.kept, recipe))
    return fitted


def what_was_kept(history: Sequence[Epoch], kept: int, recipe: Recipe) -> str:
    """Say which epoch's network was kept, and whether training ended before the last one."""
    ended = ""
    if len(history) < recipe.epochs:
        ended = f"Ended after epoch {len(history)} of {recipe.epochs}"
        if recipe.patience is not None:
            ended += f": {recipe.patience} without a better one (--patience)"
        ended += ". "
    return (
        f"{ended}The network of epoch {kept} is kept: {history[kept - 1].validation_accuracy:.1%} "
        "of the photos held out are right."
    )
