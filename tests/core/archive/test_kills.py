"""Killed anywhere, and started again: no row lost, none twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.classify import Looking
from core.archive.table import Table

TINY_HEAD = Path(__file__).resolve().parents[2] / "models" / "tiny"
ROOT = Path(__file__).resolve().parents[3]
_KILLS = 20
_PHOTOS = 1_500


@pytest.mark.long
def test_killed_twenty_times_at_random_no_row_is_lost_or_doubled(
    photos: Callable[..., Path],
    over: Any,
    rows: Any,
    looking: Looking,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = photos(_PHOTOS)
    (folder / f"{_PHOTOS - 1:05}.jpg").write_bytes(b"no photo")
    table = tmp_path / "table"
    command = [
        *(sys.executable, "-m", "catdog", "archive", str(folder), "--to", str(table)),
        *("--part-photos", "7", "--model", str(TINY_HEAD)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    record_property("seed", seed)
    killed = 0
    for turn in range(_KILLS):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        _wait_a_while(table, process, chance)
        process.kill()
        killed += process.wait() == -9
        found = rows(table)  # whole, whenever one looks
        assert len({row["path"] for row in found}) == len(found), f"turn {turn} of seed {seed}"
        for number in chance.sample(range(_PHOTOS), 3):  # some change, so that parts are replaced
            os.utime(folder / f"{number:05}.jpg")
    assert killed == _KILLS
    assert 0 < len(rows(table)) < _PHOTOS
    assert subprocess.run(command, env=environment, check=False).returncode == 1  # of one photo
    over([folder], tmp_path / "undisturbed", looking)
    assert rows(table) == rows(tmp_path / "undisturbed")
    assert not list(table.glob("*.unfinished"))


def _wait_a_while(table: Path, process: subprocess.Popen[bytes], chance: random.Random) -> None:
    """Wait until some parts more are there, and a moment longer."""
    to = Table(str(table))
    enough = len(to.parts()) + chance.randrange(0, 9)
    deadline = time.monotonic() + 60
    while len(to.parts()) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(chance.random() * 0.05)
