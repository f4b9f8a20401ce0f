"""What a training would learn from, what is wrong with it, and about how long it would take."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from statistics import median

from core.runtime.console import Console
from core.runtime.durations import duration
from core.training.data.dataset import Dataset
from core.training.data.inputs import Known, decode, gather
from core.training.evaluation.epochs import Epoch
from core.training.networks.export.package import PARITY_PHOTOS
from core.training.networks.fitting.batches import class_weights, steps_per_epoch
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import Recipe
from core.training.networks.suited import suited

_TIMED_STEPS = 6
_TIMED_EPOCHS = 4  # of which the first is left out: in it the network is built
_A_LOOK = 1 / 3  # of what it takes to learn from a photo
_FINISHING_SECONDS = 8.0  # for the files and the report, on two cores
_UNEVEN = 3.0  # times as many photos of one class as of another, from which on it is told


def check(
    data: Path,
    recipe: Recipe,
    *,
    known: Known,
    console: Console,
    leave_out: Collection[str] = (),
    sources: Path | None = None,
) -> None:
    """Tell what `train` would learn from in `data`; nothing is kept. Raises as `train`."""
    inputs = gather(data, known, console=console, leave_out=leave_out, sources=sources)
    with tempfile.TemporaryDirectory(prefix="catdog-check-") as folder:
        work = Path(folder)
        begun = time.monotonic()
        dataset = decode(
            inputs, recipe.preprocessing, leave_out=leave_out, work=work, console=console
        )
        decoded = time.monotonic() - begun
        recipe = suited(recipe, dataset, console)
        learnt, held_out = dataset.count(dataset.training), dataset.count(dataset.validation)
        weights = class_weights(dataset, recipe.balance)
        most = max(learnt.values())
        for (label, count), weight in zip(learnt.items(), weights, strict=True):
            uneven = 0 < count * _UNEVEN <= most
            console.say(
                f"  {label}: {count} to learn from, {held_out[label]} held out"
                + (f"; each counts {weight:.1f} times, as there are few" if uneven else "")
            )
        # photos held out are decoded and looked at once more, as they are served
        decoded *= 1 + 2 * len(dataset.validation) / len(dataset.photos)
        seconds = seconds_of(dataset, recipe, work) + decoded
        console.say(f"Training would take about {duration(seconds)} here. Nothing was kept.")
        del dataset  # Windows removes no file that is mapped


def seconds_of(dataset: Dataset, recipe: Recipe, work: Path) -> float:
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
    photos = _photos_of_an_epoch(dataset, recipe)
    seconds = sum(
        a_photo * photos * stage.epochs * (stage.size / last.size) ** 2 for stage in recipe.stages
    )
    seconds += timed[0].seconds * len(recipe.stages)  # building it takes as long each time
    looks = min(PARITY_PHOTOS, len(dataset.photos)) * _A_LOOK
    return seconds + a_photo * looks + _FINISHING_SECONDS


def _photos_of_an_epoch(dataset: Dataset, recipe: Recipe) -> float:
    """Count the photos that an epoch learns from, and a third of those that it only looks at."""
    return steps_per_epoch(dataset, recipe) * recipe.batch_size + len(dataset.validation) * _A_LOOK
