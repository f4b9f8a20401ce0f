"""Whether going on from a model pays is measured on halves of a source, and on all others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.training.labelled import LabelledPhoto


@pytest.fixture(scope="module")
def script(load_script: Any) -> Any:
    return load_script("fine_tuning")


def test_lines_tell_what_was_gained_and_lost(script: Any) -> None:
    nothing, all_of_them = np.zeros(4, bool), np.ones(4, bool)
    before = script.Seen(np.array([True, True, False, False]), nothing, all_of_them, np.ones(4))
    losses = np.array([0.5, 0.5, 1.0, 1.0])
    after = script.Seen(np.array([True, False, True, True]), all_of_them, nothing, losses)
    named, filed, misfiled, lost = script.lines("these", before, after)
    assert named.startswith("these, 4 photos, named rightly: 50.0% (")
    assert " -> 75.0% (" in named
    assert named.endswith("; +2 -1")
    assert filed.startswith("these, 4 photos, filed rightly: 0.0% (")
    assert filed.endswith("; +4 -0")
    assert misfiled.startswith("these, 4 photos, filed wrongly: 100.0% (")
    assert misfiled.endswith("; +0 -4")
    assert lost == "these, cross-entropy: 1.000 -> 0.750; -0.250 (-0.500 to +0.000)"


def test_by_night_photos_are_dim_grey_and_small(
    script: Any, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    (photo,) = fill_folder(tmp_path / "data", {"cats": 1}).glob("cats/*")
    shown = script.by_night(LabelledPhoto(photo, "cat"), tmp_path / "night")
    assert shown.label == "cat"
    image, before = Image.open(shown.path), Image.open(photo)
    assert image.mode == "L"
    assert min(image.size) == 110
    middle = [side // 2 for side in image.size]
    pixels = np.asarray(image, float)
    assert pixels.mean() < np.asarray(before, float).mean() / 2 + 20
    assert pixels[:9, :9].mean() < pixels[middle[1] - 9 :, middle[0] - 9 :][:18, :18].mean()


@pytest.mark.long
def test_both_halves_are_learnt_from_in_turn(
    script: Any, tiny_model: Path, tmp_path: Path, fill_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    data = fill_folder(tmp_path / "data", {"cats": 130, "dogs": 130, "other": 20}, 6000)
    for number, photo in enumerate(sorted(data.glob("[cd]*/*.jpg"))):
        if number % 13:
            photo.rename(photo.with_name(f"phone-{photo.name}"))
    monkeypatch.setattr("sys.argv", ["", str(data), "--model", str(tiny_model)])
    assert script.main() == 1, "it was right of all before: there is nothing to gain"
    lines = capsys.readouterr().out.splitlines()
    learnt = [int(line.split()[2]) for line in lines if line.startswith("learnt from")]
    assert sum(learnt) == 240
    assert min(learnt) > 90
    assert sum("the rest, 40 photos, named" in line for line in lines) == 2
    assert sum("the rest, 40 photos, filed" in line for line in lines) == 4
