"""What all rows measure with: photos, sizes, a place to work, catdog in a state of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The numbers of photos are those of one round."""

    rounds: int = 5
    warm_photos: int = 20
    camera_photos: int = 200
    baseline_photos: int = 40  # that the baseline sorts
    small_photos: int = 2_000
    people: int = 20
    photos_each: int = 5  # that a person sends to the bot
    watch_photos: int = 50  # of a camera, at once
    fewest_files: int = 1_000  # growth is measured from here by tens
    most_files: int = 10_000


QUICK = Sizes()
FULL = replace(QUICK, camera_photos=2_000, small_photos=20_000, most_files=100_000)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and with what a row is measured."""

    photos: tuple[Path, ...]
    sizes: Sizes
    work: Path  # a folder that is thrown away

    def environment(self) -> dict[str, str]:
        """Return the environment of a catdog that knows nothing of the person's own."""
        own = {name: text for name, text in os.environ.items() if not name.startswith("CATDOG_")}
        return {
            **own,
            "PYTHONPATH": str(ROOT),
            "CATDOG_STATE_DIR": str(self.work / "state"),
            "CATDOG_MODELS_DIR": str(self.work / "models"),
        }

    def seconds_of(self, command: Sequence[str]) -> float:
        """Run a command from beginning to end. Raises CalledProcessError if it fails."""
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=self.environment())
        return time.perf_counter() - begin


def catdog(*arguments: object) -> list[str]:
    """Return the command that runs catdog."""
    return [sys.executable, "-m", "catdog", *map(str, arguments)]


def module(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
