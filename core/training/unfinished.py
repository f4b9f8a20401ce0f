"""Runs that are not finished: where their checkpoints stand, and what they began with."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import UsageRefused
from core.paths import display
from core.training.dataset import Dataset

RUN = "run.json"


def work_folder(unfinished: Path, *, resume: bool) -> Path:
    """Make a folder for a new run, or find that of the newest one. Raises UsageRefused."""
    if resume:
        runs = sorted(path.parent for path in unfinished.glob(f"*/{RUN}"))
        if not runs:
            raise UsageRefused(
                f"There is no unfinished run in {display(unfinished)}. Leave out --resume."
            )
        return runs[-1]
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
