"""Models of each kind of network, trained for a moment when a test first asks for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import RecordingConsole, fill

SIZES = {"minimal": 32, "sequential-bn": 48, "vgg-small": 32, "residual": 48}


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
    train_network(TrainOptions(data), recipe, TrainContext(folder / "models", RecordingConsole()))
