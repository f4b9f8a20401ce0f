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
from core.runtime.console import Console
from core.training.data.dataset import Dataset
from core.training.evaluation.epochs import HISTORY


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was interrupted, and what it began with."""

    folder: Path
    network: str
    settings: dict[str, Any]  # of a recipe
    leave_out: tuple[str, ...]

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


def newest_run(unfinished: Path, network: str | None = None) -> Begun:
    """Find the newest run that was interrupted, of a network if one is named.

    Raises UsageRefused if there is none.
    """
    others = []
    for path in sorted(unfinished.glob(f"*/{RUN}"), reverse=True):
        settings = json.loads(path.read_text(encoding="utf-8"))["recipe"]
        leave_out = tuple(settings.pop("leave_out", ()))
        begun = Begun(path.parent, settings.get("network", network or ""), settings, leave_out)
        if network in (None, begun.network):
            return begun
        others.append(str(begun))
    if others:
        raise UsageRefused(
            f"There is no unfinished run of {network}, but one {others[0]}. Leave out --network "
            "to go on with that."
        )
    raise UsageRefused(f"There is no unfinished run in {display(unfinished)}. Leave out --resume.")


def work_folder(unfinished: Path, *, resume: str | None, console: Console) -> Path:
    """Make a folder for a new run, or find that of the newest one of the network to `resume`.

    Raises UsageRefused.
    """
    if resume is not None:
        begun = newest_run(unfinished, resume)
        console.say(f"Going on with the run {begun}.")
        return begun.folder
    work = unfinished / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    work.mkdir(parents=True)
    return work


def check_same_run(work: Path, dataset: Dataset, recipe: Any, leave_out: Collection[str]) -> None:
    """Record what a run began with, or raise UsageRefused if it began with something else.

    `recipe` is a dataclass of settings.
    """
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
