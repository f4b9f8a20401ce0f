"""The table of what a second look brings, on photos and a model made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.second_look import ALWAYS, looks_to_try, main
from core.manifest import read_manifest
from core.second_look import SecondLook


def test_each_size_each_margin_and_each_weight_is_tried_once() -> None:
    own = SecondLook(size=224, stored_size=252, margin=3.0, weight=0.7)
    tried = looks_to_try(own)
    assert tried[0] is None
    assert own in tried
    assert replace(own, margin=ALWAYS) in tried
    assert replace(own, weight=1.0) in tried
    assert replace(own, size=160, stored_size=180) in tried
    assert len(set(tried)) == len(tried) == 1 + 4 + 3 + 2


def test_it_tells_how_many_photos_were_looked_at_again(
    tiny_model: Path, five_of_each: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_manifest(tiny_model)
    assert before.second_look is not None
    assert main([str(five_of_each), "--model", str(tiny_model)]) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    shares = {tuple(row.strip("| ").split(" | ")[:3]): row.split(" | ")[3] for row in rows}
    assert shares["none", "", ""] == "0%"
    assert shares[f"{before.second_look.size} px", "any", "70%"] == "100%"
    assert read_manifest(tiny_model) == before
