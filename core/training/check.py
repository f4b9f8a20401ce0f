"""What a training would learn from, what is wrong with it, and about how long it would take."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from core.runtime.durations import duration
from core.training.data.dataset import Dataset
from core.training.data.inputs import TrainContext, decode, gather
from core.training.data.train_options import TrainOptions
from core.training.evaluation.epochs import Epoch
from core.training.networks.export.package import PARITY_PHOTOS
from core.training.networks.fitting.batches import class_weights, steps_per_epoch
from core.training.networks.fitting.training_loop import fit
from core.training.networks.from_scratch import suited
from core.training.networks.recipe import Recipe

_TIMED_STEPS = 6
_TIMED_EPOCHS = 4  # of which the first is left out: in it the network is built
_PREDICTING = 1 / 3  # of what it takes to learn from a photo
_FINISHING_SECONDS = 8.0  # for the files and the report, on two cores
_UNEVEN = 3.0  # times as many photos of one class as of another, from which on it is said


def check(options: TrainOptions, recipe: Recipe, context: TrainContext) -> None:
    """Show what a network would learn from; nothing is kept. Raises as `train_network`."""
    console = context.console
    inputs = gather(options, context)
    with tempfile.TemporaryDirectory(prefix="catdog-check-") as folder:
        work = Path(folder)
        begun = time.monotonic()
        dataset = decode(inputs, recipe.preprocessing, work=work, console=console)
        decoding = time.monotonic() - begun
        recipe = suited(recipe, dataset, console)
        learnt, held_out = dataset.count(dataset.training), dataset.count(dataset.validation)
        weights = class_weights(dataset, recipe.balance)
        for (label, count), weight in zip(learnt.items(), weights, strict=True):
            uneven = 0 < count * _UNEVEN <= max(learnt.values())
            console.say(
                f"  {label}: {count} to learn from, {held_out[label]} held out"
                + (f"; each counts {weight:.1f} times, as there are few" if uneven else "")
            )
        # photos held out are decoded and predicted once more, as they are served
        decoding *= 1 + 2 * len(dataset.validation) / len(dataset.photos)
        seconds = _training_seconds(dataset, recipe, work) + decoding
        console.say(f"Training would take about {duration(seconds)} here. Nothing was kept.")
        del dataset  # Windows removes no file that is mapped


def _training_seconds(dataset: Dataset, recipe: Recipe, work: Path) -> float:
    """Estimate the seconds that training takes here, from a few steps at the last image size.

    The work of a step grows with the pixels.
    """
    some = replace(
        dataset,
        training=dataset.training[: _TIMED_STEPS * recipe.batch_size],
        validation=dataset.validation[: recipe.batch_size],
    )
    last = recipe.stages[-1]
    timed: list[Epoch] = []
    few = replace(recipe, stages=(replace(last, epochs=_TIMED_EPOCHS),))
    fit(some, few, work=work, on_epoch=timed.append)
    a_photo = median(one.seconds for one in timed[1:]) / _photos_of_an_epoch(some, few)
    an_epoch = a_photo * _photos_of_an_epoch(dataset, recipe)
    epochs = sum(stage.epochs * (stage.size / last.size) ** 2 for stage in recipe.stages)
    building = timed[0].seconds * len(recipe.stages)
    comparing = a_photo * min(PARITY_PHOTOS, len(dataset.photos)) * _PREDICTING
    return an_epoch * epochs + building + comparing + _FINISHING_SECONDS


def _photos_of_an_epoch(dataset: Dataset, recipe: Recipe) -> float:
    """Count the photos that an epoch learns from, and a third of those that it only predicts."""
    learnt = steps_per_epoch(dataset, recipe) * recipe.batch_size
    return learnt + len(dataset.validation) * _PREDICTING
