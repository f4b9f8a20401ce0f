"""Whether previews change decisions is measured for each format, and what is little enough."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import previews
from benchmarks.previews import Seen, prove
from core.manifest import read_manifest


def test_the_highest_limit_counts_that_changes_next_to_nothing() -> None:
    seen = [Seen(filed=False, likeliest_filed=0.0)] * 8_000
    assert prove([*seen, *[Seen(filed=True, likeliest_filed=0.6)] * 2_000]) == pytest.approx(
        {"limit": 0.5, "photos": 10_000, "same": 1.0, "at_most_differ": 0.000384}, abs=1e-6
    )
    doubtful = prove([*seen, *[Seen(filed=True, likeliest_filed=0.25)] * 10])
    assert doubtful is not None
    assert doubtful["limit"] == 0.2
    assert prove([*seen, *[Seen(filed=True, likeliest_filed=0.0)] * 10]) is None
    assert prove(seen[:4_000]) is None, "too few"


@pytest.mark.long
def test_each_format_is_looked_at_both_ways(
    tiny_model: Path,
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previews, "FEWEST", 10)
    monkeypatch.setattr(previews, "SAME", 0.5)
    data = fill_folder(tmp_path / "data", {"cats": 10, "dogs": 10, "other": 10}, 900)
    for photo in data.rglob("*.jpg"):
        photo.rename(photo.with_name(f"mine-{photo.name}"))
    arguments = ["", str(data), "--leave-out", "mine", "--model", str(tiny_model)]
    monkeypatch.setattr("sys.argv", arguments)
    assert previews.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("is used")] == [
        f"{name}: 30 photos, 30 with a preview that is used" for name in ("JPEG", "HEIF")
    ]
    assert read_manifest(tiny_model).previews == {}
