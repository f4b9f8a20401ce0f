"""Whether going on from a model pays is measured on halves of a source, and on all others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(load_script: Any) -> Any:
    return load_script("fine_tuning")


def test_lines_tell_what_was_gained_and_lost(script: Any) -> None:
    nothing, all_of_them = np.zeros(4, bool), np.ones(4, bool)
    before = script.Seen(np.array([True, True, False, False]), nothing, all_of_them)
    after = script.Seen(np.array([True, False, True, True]), all_of_them, nothing)
    named, filed, misfiled = script.lines("these", before, after)
    assert named.startswith("these, 4 photos, named rightly: 50.0% (")
    assert " -> 75.0% (" in named
    assert named.endswith("; +2 -1")
    assert filed.startswith("these, 4 photos, filed rightly: 0.0% (")
    assert filed.endswith("; +4 -0")
    assert misfiled.startswith("these, 4 photos, filed wrongly: 100.0% (")
    assert misfiled.endswith("; +0 -4")


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
    assert sum("all other sources, 40 photos, named" in line for line in lines) == 2
    assert sum("all other sources, 40 photos, filed" in line for line in lines) == 4
