"""What killed trainings leave is deleted, but for what may be wanted yet."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner

from catdog import main
from core.model.promotion import prune


def leave(folder: Path, *, days: float, run: bool = False) -> Path:
    """Make what a killed training leaves, untouched for some days."""
    folder.mkdir(parents=True)
    for name in ("photos.tmp", *(["run.json"] if run else [])):
        (folder / name).write_bytes(b"x")
    then = folder.stat().st_mtime - days * 24 * 3600
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def test_leftovers_are_pruned_but_for_the_newest_run_and_what_may_be_at_work(
    tmp_path: Path,
) -> None:
    unfinished = tmp_path / "unfinished"
    gone = [
        leave(unfinished / "head-abc", days=3),
        leave(unfinished / "20260101T000000", days=20, run=True),
        leave(unfinished / "20260301T000000", days=20),  # killed before it began
        leave(tmp_path / "v1.part", days=2),
        leave(tmp_path / "pruned-x", days=2),
        leave(tmp_path / "networks" / "0a.part", days=2),
    ]
    kept = [
        leave(unfinished / "20260201T000000", days=10, run=True),
        leave(unfinished / "head-def", days=0.1),
        leave(tmp_path / "mine", days=10),
    ]
    assert set(prune(tmp_path, keep=0)) == {folder.name for folder in gone}
    assert all(folder.is_dir() for folder in kept)
    assert not any(folder.exists() for folder in gone)
    leave(unfinished / "head-ghi", days=3)
    result = CliRunner().invoke(main, ["--models-dir", str(tmp_path), "models", "prune"])
    assert result.stdout == "head-ghi is deleted.\n"
