"""A photo for the commands to predict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Draw


@pytest.fixture
def photo(tmp_path: Path, draw: Draw) -> Path:
    path = tmp_path / "tom.jpg"
    draw("cats", 700).save(path)
    return path
