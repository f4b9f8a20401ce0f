"""The time to 94 % on held-out cats and dogs, from scratch, on two cores.

    python -m benchmarks.speedrun [--data FOLDER] [--change "what is new"]

FOLDER holds cats/ and dogs/ with photos of Kaggle's among them, and a sources.csv that names those;
without it they are the project's.
2,000 of Kaggle's are held out, the same each time; what is learnt from are the others of the
sources that the recipe names. The clock runs from the decoded array on disk
and includes building and compiling; it stops at the end of the first epoch that reaches 94 %.
With --change the run is appended to speedrun.jsonl, which holds every step that the recipe below
has come by, and what it gained. Ends with 1 over 12 minutes, or if 94 % are not reached.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Line
from benchmarks.photos import NoPhotos, unpack
from benchmarks.results import machine
from benchmarks.setting import ROOT, Setting
from core.training.data.dataset import Dataset, load
from core.training.data.labelled import LabelledFolder, LabelledPhoto, scan
from core.training.evaluation.epochs import Epoch
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import NONE, RESIDUAL, Recipe, Stage

TARGET = 0.94
MOST_SECONDS = 12 * 60
HELD_OUT = 2_000
LOG = ROOT / "benchmarks" / "speedrun.jsonl"

# a photo of a source that looks like what is held out teaches more of it
SOURCES = (
    "kaggle", "kagglesq", "flickr1", "flickr2", "flickr3", "breeds", "stuffcat", "satucat",
)  # fmt: skip
_PLAIN = replace(NONE, min_area=0.6, aspect=1.2, flip=True)  # in minutes nothing is overfitted
RECIPE = replace(
    RESIDUAL,
    name="speedrun",
    widths=(32, 64, 128),
    blocks=(1, 2, 2),
    stages=(
        Stage(48, 5, _PLAIN),
        Stage(64, 6, _PLAIN),
        Stage(80, 4, _PLAIN),
        Stage(96, 3, replace(_PLAIN, min_area=0.8)),
    ),
    batch_size=192,
    learning_rate=8e-3,
    warmup_epochs=0.5,
    patience=100,
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run to the target."""

    reached: bool
    seconds: float
    history: tuple[Epoch, ...]


class _Reached(Exception):
    pass


def held_out_photos(photos: Sequence[LabelledPhoto], number: int) -> frozenset[Path]:
    """Choose as many cats as dogs of Kaggle's by the hashes of their contents.

    Raises NoPhotos if there are not so many.
    """
    chosen: set[Path] = set()
    for label in ("cat", "dog"):
        paths = [
            photo.path for photo in photos if photo.label == label and photo.source == "kaggle"
        ]
        paths.sort(key=lambda path: hashlib.sha256(path.read_bytes()).digest())
        chosen.update(paths[: number // 2])
    if len(chosen) < number // 2 * 2:
        raise NoPhotos(
            f"A speedrun holds out {number} of Kaggle's photos, whose source in sources.csv is "
            f"kaggle. Found: {len(chosen)}. Name a folder that has them with --data."
        )
    return frozenset(chosen)


def decode(data: Path, recipe: Recipe, *, work: Path, held_out: int) -> Dataset:
    """Decode the cats and dogs of a folder into an array on disk. Raises NoPhotos."""
    found = scan(data)
    photos = tuple(
        photo for photo in found.photos if photo.label in ("cat", "dog") and photo.source in SOURCES
    )
    labelled = LabelledFolder(
        data,
        tuple(one for one in found.classes if one.label in ("cat", "dog")),
        photos,
        not_photos=0,
        held_out=held_out_photos(photos, held_out),
    )
    return load(labelled, recipe.preprocessing, work=work)


def run(dataset: Dataset, recipe: Recipe, *, work: Path, target: float = TARGET) -> Finished:
    """Train until the photos held out are told apart as well as that, or the recipe ends."""
    history: list[Epoch] = []
    begin = time.perf_counter()

    def check(epoch: Epoch) -> None:
        history.append(epoch)
        print(
            f"{time.perf_counter() - begin:6.0f} s  epoch {epoch.number} at {epoch.size} px: "
            f"{epoch.validation_accuracy:.2%}, {epoch.accuracy:.2%} of those learnt from",
            file=sys.stderr,
        )
        if epoch.validation_accuracy >= target:
            raise _Reached

    try:
        fit(dataset, recipe, work=work, on_epoch=check)
        reached = False
    except _Reached:
        reached = True
    return Finished(reached, time.perf_counter() - begin, tuple(history))


def record(finished: Finished, recipe: Recipe, change: str, log: Path) -> dict[str, Any]:
    """Append a run to the log. Returns: its line, with what it gained on the one before."""
    before = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    line = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "change": change,
        "reached": finished.reached,
        "seconds": round(finished.seconds, 1),
        "gained_seconds": round(before[-1]["seconds"] - finished.seconds, 1) if before else None,
        "epochs": [
            [epoch.size, round(epoch.validation_accuracy, 4), round(epoch.seconds, 1)]
            for epoch in finished.history
        ],
        "recipe": asdict(recipe),
        "machine": machine(),
    }
    with log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
    return line


def measure(setting: Setting) -> list[Figure]:
    """Row 10. Raises NoPhotos if the project's photos for training are not here."""
    data = setting.work / "speedrun"
    for part in ("train-cats", "train-dogs"):
        unpack(part, into=data)
    finished = run_on(data / "train", setting.work)
    best = max(epoch.validation_accuracy for epoch in finished.history)
    return [
        Figure(
            10,
            f"time to {TARGET:.0%} of held-out cats and dogs told apart, from scratch",
            (finished.seconds / 60 if finished.reached else float("inf"),),
            "min",
            Line.AT_MOST,
            MOST_SECONDS / 60,
            f"{best:.2%} after {len(finished.history)} epochs, {finished.seconds / 60:.1f} minutes",
        )
    ]


def run_on(data: Path, work: Path) -> Finished:
    """Decode, and run the recipe on two cores. Raises NoPhotos."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory(dir=work) as name:
        dataset = decode(data, RECIPE, work=Path(name), held_out=HELD_OUT)
        return run(dataset, RECIPE, work=Path(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds cats/ and dogs/")
    parser.add_argument("--change", help="what is new about the recipe; the run is logged")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catdog-speedrun-") as name:
        work = Path(name)
        try:
            data = (
                given.data or [unpack(part, into=work) for part in ("train-cats", "train-dogs")][-1]
            )
            finished = run_on(data, work)
        except NoPhotos as error:
            sys.exit(str(error))
    if given.change:
        print(json.dumps(record(finished, RECIPE, given.change, LOG)))
    print(
        f"{TARGET:.0%} reached after {finished.seconds:.0f} s"
        if finished.reached
        else f"{TARGET:.0%} not reached in {finished.seconds:.0f} s"
    )
    return 0 if finished.reached and finished.seconds <= MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
