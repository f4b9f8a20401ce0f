"""What the journal costs a sort, and whether the time for a file grows with their number.

    python benchmarks/journal_cost.py [--photos FOLDER]

Sorts copies of small photos with the model that comes with catdog, with and without the journal
in turns. Ends with 1 if the journal costs more than 10 %, or if a file of 10,000 takes more than
15 % longer than one of 1,000.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.classifier import Classifier
from core.model_store import DEFAULT_MODEL
from core.store import Store
from sorter.journal.run import Move, Run
from sorter.moving.companions import Belongings
from sorter.moving.mover import Mover
from sorter.outcome import Outcome
from sorter.pipeline import Sorting, sort_photos
from sorter.routes import Routes

ROUNDS = 5
FILES = 1_500  # in each round with and without
MOST_COST = 0.10
SIZES = (1_000, 3_000, 10_000)
MOST_GROWTH = 0.15


class NoJournal:
    """Stands in for a run of the journal, and writes nothing down."""

    token = "0" * 32

    def plan(self, groups: Sequence[Sequence[Move]]) -> list[list[Move]]:
        return [[replace(move, id=1, group_id=1) for move in group] for group in groups]

    def plan_again(self, moves: Sequence[Move]) -> None: ...

    def will_copy(self) -> None: ...

    def done(self, move: Move, filed: object = None) -> None: ...

    def failed(self, move: Move, reason: str) -> None: ...

    def flush(self) -> None: ...

    def end(self) -> None: ...


def seconds_per_file(
    classifier: Classifier, pool: list[Path], number: int, folder: Path, *, journal: bool
) -> float:
    """Sort so many photos, all of which are filed; start-up and listing left out."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    names = []
    for one, photo in zip(range(number), itertools.cycle(pool), strict=False):
        names.append(inbox / f"{one:06}{photo.suffix}")
        shutil.copyfile(photo, names[-1])
    store = Store(folder / "state")
    run: Any = Run(store, "sort", inbox, inbox) if journal else NoJournal()
    routes = Routes(classifier.manifest, inbox, threshold=0.0, move_others=True)
    belongings = Belongings()
    belongings.look_at(inbox, [path.name for path in names])
    sorting = Sorting(classifier, routes, Mover(run, inbox), belongings)
    begin = time.perf_counter()
    moved = sum(outcome.outcome is Outcome.MOVED for outcome in sort_photos(sorting, names))
    run.end()
    taken = time.perf_counter() - begin
    assert moved == number, f"{moved} of {number} were moved"
    store.close()
    shutil.rmtree(folder)
    return taken / number


def draw_photos(folder: Path, number: int) -> list[Path]:
    """Make small JPEGs of noise, each another."""
    random = np.random.default_rng(1)
    folder.mkdir()
    paths = [folder / f"{one:03}.jpg" for one in range(number)]
    for path in paths:
        pixels = random.normal(128, 50, (240, 320, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).resize((320, 240)).save(path, quality=85)
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder of photos to sort copies of")
    photos = parser.parse_args().photos
    classifier = Classifier(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory(prefix="catdog-bench-") as name:
        folder = Path(name)
        pool = sorted(photos.glob("*.jpg"))[:200] if photos else draw_photos(folder / "pool", 100)
        seconds_per_file(classifier, pool, 300, folder / "warm", journal=True)

        ratios = []
        for one in range(ROUNDS):
            times = {}
            for journal in (True, False) if one % 2 else (False, True):
                times[journal] = seconds_per_file(
                    classifier, pool, FILES, folder / "cost", journal=journal
                )
            ratios.append(times[True] / times[False])
            print(
                f"round {one + 1}: {times[True] * 1e3:.3f} ms a file with the journal, "
                f"{times[False] * 1e3:.3f} ms without"
            )
        cost = statistics.median(ratios) - 1
        spread = f"{min(ratios) - 1:+.1%} to {max(ratios) - 1:+.1%}"
        print(f"the journal costs {cost:+.1%} (median; {spread}), at most {MOST_COST:.0%} allowed")

        rounds: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(2):
            for size in SIZES:
                taken = seconds_per_file(classifier, pool, size, folder / "growth", journal=True)
                rounds[size].append(taken)
        per_file = {size: min(taken) for size, taken in rounds.items()}
        for size, taken in per_file.items():
            print(f"{size:6} files: {taken * 1e3:.3f} ms a file")
        growth = per_file[SIZES[-1]] / per_file[SIZES[0]] - 1
        print(f"growth: {growth:+.1%}, at most {MOST_GROWTH:.0%} allowed")
    return int(cost > MOST_COST or growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
