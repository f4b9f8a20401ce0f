"""The check of heat maps, on photos and a model made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image


def test_photos_are_pasted_into_one_corner(load_script: Callable[[str], ModuleType]) -> None:
    script = load_script("heatmap_peaks")
    scene, photo = Image.new("RGB", (300, 200), "lime"), Image.new("RGB", (50, 80), "red")
    corners = set()
    for seed in range(12):
        shown, (across, down) = script.into_a_corner(scene, photo, np.random.default_rng(seed))
        red = np.asarray(shown)[..., 0] == 255
        assert red.mean() == 0.25
        assert red[down * 256 : down * 256 + 256, across * 256 : across * 256 + 256].all()
        corners.add((across, down))
    assert len(corners) == 4


def test_a_peak_is_where_the_map_is_highest(load_script: Callable[[str], ModuleType]) -> None:
    heat = np.zeros((4, 8))
    heat[1, 6] = 1
    assert load_script("heatmap_peaks").peak(heat) == (6.5 / 8, 1.5 / 4)


def test_it_counts_and_ends_with_1_where_peaks_lie_elsewhere(
    load_script: Callable[[str], ModuleType],
    tiny_model: Path,
    five_of_each: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The tiny model goes by colour: a red or blue corner of a green scene is where it looks."""
    script = load_script("heatmap_peaks")
    arguments = [str(five_of_each), "--model", str(tiny_model), "--photos", "10"]
    assert script.main(arguments) == 0
    hits = int(capsys.readouterr().out.split()[-3])
    assert hits >= 8
    script.LINE = 101
    assert script.main(arguments) == 1
