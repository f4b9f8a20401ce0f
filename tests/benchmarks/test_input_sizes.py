"""The table of input sizes, on photos and a model made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import input_sizes
from core.manifest import read_manifest


def test_each_size_is_measured_with_the_model_that_serves(
    tiny_model: Path,
    five_of_each: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(input_sizes, "SIZES", (16, 32))
    before = read_manifest(tiny_model)
    assert input_sizes.main([str(five_of_each), "--model", str(tiny_model)]) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| 16 px", "| 32 px"]
    right = [float(row.split(" | ")[1].rstrip("%")) for row in rows]
    assert right[1] >= 80  # the size that it was trained at
    assert read_manifest(tiny_model) == before
