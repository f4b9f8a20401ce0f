"""Runs that are not finished: where their checkpoints stand, and what they began with."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import UsageRefused
from core.model.registry import RUN
from core.paths import display
from core.runtime.atomic_write import write_atomically
from core.runtime.console import Console
from core.training.data.dataset import Dataset
from core.training.networks.recipe import Recipe, recipe_from
from core.training.networks.transfer.transfer_recipe import PRETRAINED, Transfer

HISTORY = "history.json"  # in a run's folder


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that was interrupted, and what it began with."""

    folder: Path
    network: str
    settings: dict[str, Any]  # of a recipe
    held_out_sources: tuple[str, ...]

    def recipe(self) -> Recipe | Transfer:
        """Return the settings that it began with. Raises UsageRefused."""
        try:
            if self.network in PRETRAINED:
                return Transfer.read(self.settings)
            return recipe_from(self.settings)
        except (TypeError, KeyError, ValueError) as error:
            raise UsageRefused(
                f"The unfinished run {self} is of another version of catdog. Start anew without "
                "--resume."
            ) from error

    def __str__(self) -> str:
        words = f"of {self.network}"
        with suppress(ValueError):  # a folder that a person has renamed
            begun = datetime.strptime(self.folder.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            words += f", begun {begun.astimezone():%Y-%m-%d %H:%M}"
        history = self.folder / HISTORY
        if history.exists():
            epochs = len(json.loads(history.read_text(encoding="utf-8")))
            words += f", {epochs} epochs done"
        return words


def newest_run(unfinished: Path, network: str | None = None) -> Unfinished:
    """Return the newest run that was interrupted, of a network if one is named.

    Raises UsageRefused if there is none.
    """
    others = []
    for path in sorted(unfinished.glob(f"*/{RUN}"), reverse=True):
        settings = json.loads(path.read_text(encoding="utf-8"))["recipe"]
        sources = tuple(settings.pop("leave_out", ()))
        run = Unfinished(path.parent, settings.get("network", network or ""), settings, sources)
        if network in (None, run.network):
            return run
        others.append(str(run))
    if others:
        raise UsageRefused(
            f"There is no unfinished run of {network}, but one {others[0]}. Leave out --network "
            "to go on with that."
        )
    raise UsageRefused(f"There is no unfinished run in {display(unfinished)}. Leave out --resume.")


def run_folder(unfinished: Path, *, resume: str | None, console: Console) -> Path:
    """Make a folder for a new run, or return that of the newest one of the network to `resume`.

    Raises UsageRefused.
    """
    if resume is not None:
        run = newest_run(unfinished, resume)
        console.say(f"Going on with the run {run}.")
        return run.folder
    work = unfinished / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    work.mkdir(parents=True)
    return work


def check_same_run(
    work: Path, dataset: Dataset, recipe: Recipe | Transfer, held_out_sources: Collection[str]
) -> None:
    """Record what a run began with, or raise UsageRefused if it began with something else."""
    settings = json.loads(json.dumps(asdict(recipe)))
    settings["leave_out"] = sorted(held_out_sources)
    now = {"recipe": settings, "fingerprint": dataset.fingerprint}
    path = work / RUN
    if not path.exists():
        write_atomically(path, json.dumps(now, indent=1))
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
