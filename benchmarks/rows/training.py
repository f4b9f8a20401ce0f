"""Row 9: photos a second of the network from scratch, against the plain way of Keras."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Line, ratios
from benchmarks.photos import NoPhotos
from benchmarks.setting import Setting, module
from core.images.decode import open_image
from core.training.networks.recipe import RESIDUAL

_CLASSES = ("cats", "dogs", "other")
_ROUNDS = 2
_EPOCHS = 3  # of each stage; the first compiles, and is left out


def measure(setting: Setting) -> list[Figure]:
    """Train both for a few epochs. Raises NoPhotos if the photos have no classes."""
    data = setting.work / "train"
    jpeg_copy(setting.photos, setting.sizes.train_photos, data)
    plain: list[float] = []
    stages: list[tuple[float, ...]] = []  # of an epoch of each
    for _ in range(_ROUNDS):
        plain += _told(setting, module("plain_training", data, _EPOCHS))[1:]
        by_stage = _told(setting, module("recipe_training", data, _EPOCHS))
        stages += zip(*(speeds[1:] for speeds in by_stage), strict=True)
    shutil.rmtree(data)
    recipe = [speed_of_the_recipe(speeds) for speeds in stages]
    last = [speeds[-1] for speeds in stages]
    size = RESIDUAL.size
    return [
        Figure(
            9,
            "training: photos a second of `residual` over the plain way's",
            ratios(recipe, plain),
            line=Line.AT_LEAST,
            limit=1.5,
            note=f"{_median(recipe)} over all stages against {_median(plain)} at {size} px",
        ),
        Figure(
            9,
            f"training: the same with both at {size} px, the recipe's last stage",
            ratios(last, plain),
            note=f"{_median(last)} against {_median(plain)}",
        ),
    ]


def speed_of_the_recipe(speeds: Sequence[float]) -> float:
    times = (stage.epochs / speed for stage, speed in zip(RESIDUAL.stages, speeds, strict=True))
    return RESIDUAL.epochs / sum(times)


def _median(speeds: Sequence[float]) -> str:
    return f"{statistics.median(speeds):.0f} photos a second"


def _told(setting: Setting, command: Sequence[str]) -> Any:
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=setting.environment()
    )
    return json.loads(done.stdout.splitlines()[-1])


def jpeg_copy(photos: Sequence[Path], number: int, folder: Path) -> None:
    """Copy about so many photos as JPEGs into class folders. Raises NoPhotos."""
    labelled = [photo for photo in photos if photo.parent.name in _CLASSES]
    if len({photo.parent.name for photo in labelled}) < 2:
        raise NoPhotos("Training takes photos in cats/ and dogs/: name a folder with --photos.")
    for one, photo in enumerate(labelled[:: max(1, len(labelled) // number)]):
        (folder / photo.parent.name).mkdir(parents=True, exist_ok=True)
        image = open_image(photo, min_side=RESIDUAL.stored_size)
        image.save(folder / photo.parent.name / f"{photo.stem}-{one}.jpg", quality=90)
