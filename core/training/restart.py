"""Another sitting: the recipe once more, from the weights of a model that it made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.console import Console
from core.errors import UsageRefused
from core.manifest import Manifest, read_manifest
from core.paths import display
from core.training.dataset import Dataset
from core.training.fine_tune import network_for
from core.training.fit import Fitted
from core.training.progress import fit_with_progress
from core.training.recipe import Recipe


def restart(
    dataset: Dataset,
    recipe: Recipe,
    current: Path,
    *,
    work: Path,
    console: Console,
    finish: bool = False,
) -> Fitted:
    """Train the network in the folder `current` again, all of it, with the rate risen anew.

    As if it had been trained for that much longer: Loshchilov and Hutter, "SGDR: Stochastic
    gradient descent with warm restarts", 2017. What is held out by content stays held out. Goes on
    from the checkpoints in `work`. Raises ModelRefused, and UsageRefused for other classes.
    """
    if read_manifest(current).classes != dataset.classes:
        raise UsageRefused(
            f"The model in {display(current)} has other classes than these folders. Go on from it "
            "with --from current, or begin with --from scratch."
        )
    return fit_with_progress(
        dataset,
        recipe,
        work=work,
        console=console,
        start=network_for(recipe, current),
        finish=finish,
    )


def sittings_before(manifest: Manifest) -> dict[str, Any]:
    """Tell what a model took so far: its version, and all epochs and seconds of it together."""
    earlier = manifest.recipe.get("before", {})
    return {
        "version": manifest.version,
        "epochs_done": manifest.recipe["epochs_done"] + earlier.get("epochs_done", 0),
        "seconds": manifest.recipe["seconds"] + earlier.get("seconds", 0),
    }
