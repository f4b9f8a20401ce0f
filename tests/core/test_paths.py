"""How paths are written for people."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.paths import display


@pytest.mark.skipif(os.name == "nt", reason="file names are Unicode there")
def test_names_are_shown_on_one_line_whatever_they_hold() -> None:
    assert display(Path(os.fsdecode(b"two\nlines\xff.jpg"))) == r"two\nlines\xff.jpg"
    assert display(Path("kätzchen 🐱.jpg")) == "kätzchen 🐱.jpg"
