"""The table of what weights in fewer bits take and cost, on photos and a model made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import weights
from core.manifest import read_manifest


def test_each_way_is_held_against_16_bits(
    tiny_model: Path,
    five_of_each: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "LARGEST", 5_000)  # the tiny network's kernels are small
    monkeypatch.setattr(weights, "FEWEST_WEIGHTS", 1_024)
    before = read_manifest(tiny_model)
    assert weights.main([str(five_of_each), str(five_of_each), "--model", str(tiny_model)]) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row[0] for row in cells] == [
        "16 bits",
        "the largest convolutions 8 bits, rounded by the nearest",
        "the largest convolutions 8 bits, rounded by photos",
        "large convolutions 8 bits, rounded by the nearest",
        "large convolutions 8 bits, rounded by photos",
    ]
    megabytes = [float(row[1]) for row in cells]
    assert megabytes[0] > megabytes[1] == megabytes[2] > megabytes[3] == megabytes[4]
    gaps = [float(row[-1]) for row in cells]
    assert gaps[0] == 0
    assert all(0 < gap < 0.1 for gap in gaps[1:])
    assert read_manifest(tiny_model) == before
