"""Models of each kind of network, trained for a moment, and a photo to ask them about."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

from tests.conftest import Told, fill

SIZES = {"minimal": 32, "sequential-bn": 48, "vgg-small": 32, "residual": 48}


def draw_cat(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Draw a cat's face: ears, eyes, a nose and whiskers."""
    width, height = size
    photo = Image.new("RGB", size, (96, 142, 88))
    drawing = ImageDraw.Draw(photo)

    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * width, y * height) for x, y in points]

    fur, dark = (206, 138, 70), (70, 42, 22)
    drawing.polygon(at((0.3, 0.45), (0.32, 0.1), (0.47, 0.3)), fill=fur)
    drawing.polygon(at((0.7, 0.45), (0.68, 0.1), (0.53, 0.3)), fill=fur)
    drawing.ellipse(at((0.28, 0.22), (0.72, 0.88)), fill=fur)
    for left in (0.37, 0.54):
        drawing.ellipse(at((left, 0.42), (left + 0.09, 0.55)), fill=(176, 208, 70))
        drawing.ellipse(at((left + 0.03, 0.42), (left + 0.06, 0.55)), fill=(10, 10, 10))
    drawing.polygon(at((0.47, 0.63), (0.53, 0.63), (0.5, 0.68)), fill=(214, 110, 120))
    for height_there in (0.66, 0.7, 0.74):
        drawing.line(at((0.46, 0.69), (0.2, height_there)), fill=dark, width=2)
        drawing.line(at((0.54, 0.69), (0.8, height_there)), fill=dark, width=2)
    return photo


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "drawn cat.png"
    draw_cat().save(path)
    return path


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the folder of a model with a network of this name, trained when first asked for."""

    def folder_of(name: str) -> Path:
        shared = tmp_path_factory.getbasetemp()
        if "PYTEST_XDIST_WORKER" in os.environ:
            shared = shared.parent
        with FileLock(shared / f"{name}.lock"):
            made = shared / f"learnt-{name}"
            if not made.is_dir():
                _train(name, made)
        (manifest,) = (made / "models").glob("*/manifest.json")
        return manifest.parent

    return folder_of


def _train(name: str, folder: Path) -> None:
    from core.training.data.inputs import TrainContext
    from core.training.data.train_options import TrainOptions
    from core.training.networks.recipe import LIGHT, RECIPES, Stage
    from core.training.networks.train_network import train_network

    data = fill(folder / "data", {"cats": 40, "dogs": 40})
    recipe = replace(RECIPES[name], stages=(Stage(SIZES[name], 2, LIGHT),), batch_size=16)
    train_network(TrainOptions(data), recipe, TrainContext(folder / "models", Told()))
