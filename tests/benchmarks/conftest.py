"""The benchmarks are scripts, of no package: they are loaded from where they are."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    """Load a benchmark by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where dataclasses look
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def five_of_each(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    """A folder with pictures of each class that the tiny model has never seen."""
    return fill_folder(tmp_path / "data", {"cats": 5, "dogs": 5, "other": 5}, 800)
