"""Row 10: the time to 94 % on held-out cats and dogs, from scratch, on two cores.

2,000 of Kaggle's photos are held out, the same each time; what is learnt from are the others of
the sources below. The clock runs from the decoded array on disk and includes building and
compiling; it stops at the end of the first epoch that reaches 94 %.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring.figures import Figure, at_most
from benchmarks.measuring.photos import NoPhotos, unpack
from benchmarks.measuring.setting import Setting
from core.training.data.dataset import Dataset, load
from core.training.data.labelled import LabelledFolder, LabelledPhoto, scan
from core.training.evaluation.epochs import Epoch
from core.training.networks.fitting.training_loop import fit
from core.training.networks.recipe import NONE, RESIDUAL, Recipe, Stage

_TARGET = 0.94
_MOST_MINUTES = 12
_HELD_OUT = 2_000
_LABELS = ("cat", "dog")

# a photo of a source that looks like what is held out teaches more of it
_SOURCES = (
    "kaggle", "kagglesq", "flickr1", "flickr2", "flickr3", "breeds", "stuffcat", "satucat",
)  # fmt: skip
_PLAIN = replace(NONE, min_area=0.6, aspect=1.2, flip=True)  # in minutes nothing is overfitted
_RECIPE = replace(
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


class _Reached(Exception):
    pass


def measure(setting: Setting) -> list[Figure]:
    """Raises NoPhotos if the project's photos for training are not here."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    for part in ("train-cats", "train-dogs"):
        data = unpack(part, into=setting.work / "speedrun")
    history, seconds = run(decode(data, _RECIPE, work=setting.work), _RECIPE, work=setting.work)
    best = max(epoch.validation_accuracy for epoch in history)
    minutes = seconds / 60
    return [
        Figure(
            10,
            f"time to {_TARGET:.0%} of held-out cats and dogs told apart, from scratch",
            (minutes if best >= _TARGET else float("inf"),),
            "min",
            at_most(_MOST_MINUTES),
            f"{best:.2%} after {len(history)} epochs, {minutes:.1f} minutes",
        )
    ]


def held_out_photos(photos: Sequence[LabelledPhoto], number: int) -> frozenset[Path]:
    """Choose as many cats as dogs of Kaggle's by the hashes of their contents.

    Raises NoPhotos if there are not so many.
    """
    chosen: set[Path] = set()
    for label in _LABELS:
        paths = [
            photo.path for photo in photos if photo.label == label and photo.source == "kaggle"
        ]
        paths.sort(key=lambda path: hashlib.sha256(path.read_bytes()).digest())
        chosen.update(paths[: number // 2])
    if len(chosen) < number // 2 * 2:
        raise NoPhotos(f"A speedrun holds out {number} of Kaggle's photos. Found: {len(chosen)}.")
    return frozenset(chosen)


def decode(data: Path, recipe: Recipe, *, work: Path, held_out: int = _HELD_OUT) -> Dataset:
    """Decode the cats and dogs of a folder into an array on disk. Raises NoPhotos."""
    found = scan(data)
    classes = tuple(one for one in found.classes if one.label in _LABELS)
    photos = tuple(one for one in found.photos if one.label in _LABELS and one.source in _SOURCES)
    held = held_out_photos(photos, held_out)
    labelled = LabelledFolder(data, classes, photos, not_photos=0, held_out=held)
    return load(labelled, recipe.preprocessing, work=work)


def run(
    dataset: Dataset, recipe: Recipe, *, work: Path, target: float = _TARGET
) -> tuple[list[Epoch], float]:
    """Train until the held-out photos are told apart as well as that, or the recipe ends.

    Returns: the epochs, and how many seconds they took.
    """
    history: list[Epoch] = []
    begin = time.perf_counter()

    def check(epoch: Epoch) -> None:
        history.append(epoch)
        print(f"{time.perf_counter() - begin:6.0f} s  epoch {epoch.number}: "
              f"{epoch.validation_accuracy:.2%}", file=sys.stderr)  # fmt: skip
        if epoch.validation_accuracy >= target:
            raise _Reached

    with suppress(_Reached):
        fit(dataset, recipe, work=work, on_epoch=check)
    return history, time.perf_counter() - begin
