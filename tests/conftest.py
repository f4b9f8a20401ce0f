"""What the tests share: photos made on the spot, a tiny model trained on them, no network."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: a thread each is enough
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"

import re
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.model.classifier import Classifier
from core.model.manifest import read_manifest
from tests.browsing import CHROMIUM, Browser, chromium

COLOURS = {"cats": (200, 60, 60), "dogs": (60, 60, 200), "other": (60, 200, 60)}
MODELS = Path(__file__).resolve().parent / "models"
SHARED_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"

Draw = Callable[..., Image.Image]


HAS_KERAS = find_spec("keras") is not None and find_spec("tensorflow") is not None
_ALL_NEED_KERAS = re.compile(r"^pytestmark = .*\bmark\.keras\b", re.MULTILINE)
_WORKERS_A_CORE = 3  # tests of bot and daemon mostly wait


def _selected(config: pytest.Config) -> str:
    expression: str = config.getoption("markexpr")
    return expression


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no module marked `keras` where it is not installed or not asked for, and no other
    where only `keras` is: TensorFlow takes seconds in each process."""
    if not collection_path.match("test_*.py"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    if "not keras" in _selected(config) or not HAS_KERAS:
        return bool(_ALL_NEED_KERAS.search(text)) or None
    return (_selected(config).startswith("keras") and "mark.keras" not in text) or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    cores = os.cpu_count() or 1
    return _WORKERS_A_CORE * cores if "not keras" in _selected(config) else cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip single tests marked `keras` where it is not installed."""
    if not HAS_KERAS:
        skip = pytest.mark.skip(reason="needs Keras and TensorFlow (the extra keras)")
        for item in items:
            if item.get_closest_marker("keras"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the settings of whoever runs the tests out of them, and theirs inside."""
    for name in list(os.environ):
        if name.startswith("CATDOG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CATDOG_MODELS_DIR", str(tmp_path / "models-dir"))
    monkeypatch.setenv("CATDOG_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on any connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def draw_photo(kind: str, seed: int, size: tuple[int, int] = (80, 60)) -> Image.Image:
    """Make a photo that a tiny network can learn: noise around the class's colour."""
    random = np.random.default_rng((seed, sorted(COLOURS).index(kind)))
    noise = random.normal(0, 40, (size[1], size[0], 3))
    pixels = np.clip(np.array(COLOURS[kind]) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def draw() -> Draw:
    return draw_photo


def fill(folder: Path, kinds: dict[str, int], first_seed: int = 0) -> Path:
    """Make labelled folders with so many photos each."""
    for kind, number in kinds.items():
        (folder / kind).mkdir(parents=True)
        for seed in range(first_seed, first_seed + number):
            draw_photo(kind, seed).save(folder / kind / f"{kind}-{seed:03}.jpg", quality=90)
    return folder


@pytest.fixture
def fill_folder() -> Callable[..., Path]:
    return fill


def tiny_recipe(**changes: Any) -> Any:
    """The real recipe with a network and images so small that training takes seconds."""
    from core.training.networks.recipe import MILD, Recipe, Stage

    tiny = Recipe(
        name="tiny",
        widths=(8, 16, 32),
        blocks=(1, 1, 1),
        stages=(Stage(32, 6, MILD),),
        batch_size=16,
    )
    return replace(tiny, **changes)


@pytest.fixture(name="tiny_recipe")
def tiny_recipe_fixture() -> Callable[..., Any]:
    return tiny_recipe


class RecordingConsole:
    """A console that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, what: str, total: float) -> Any:
        return nullcontext(lambda done: None)


@pytest.fixture
def console() -> RecordingConsole:
    return RecordingConsole()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny network with its own classes, in a models folder (see make_tiny.py)."""
    version = read_manifest(MODELS / "tiny_whole").version
    folder = tmp_path_factory.mktemp("models") / version
    shutil.copytree(MODELS / "tiny_whole", folder)
    return folder


@pytest.fixture
def head_models_dir(tmp_path: Path) -> Path:
    """A models folder in which a tiny head on a tiny network serves (see make_tiny.py)."""
    folder = tmp_path / "head-models"
    shutil.copytree(MODELS / "tiny", folder / "tiny")
    (folder / "promoted").write_text("tiny\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def classifier(tiny_model: Path) -> Classifier:
    return Classifier(tiny_model)


@pytest.fixture(scope="module")  # and no longer: no event loop runs beside Playwright's
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def shared_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's test photographs, where they are; they are no part of the repository."""
    archive = SHARED_DATA / "test.zip"
    if not archive.exists():
        pytest.skip("the test photographs (../shared/data) are not here")
    folder = tmp_path_factory.mktemp("photographs")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder / "test"
