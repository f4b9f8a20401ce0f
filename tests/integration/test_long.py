"""What takes minutes: kills at random moments, and very large folders."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long
KILLS = 25


def contents(folder: Path) -> Counter[bytes]:
    return Counter(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def catdog(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "catdog", *map(str, arguments)]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
@pytest.mark.parametrize("other_file_system", [False, True])
def test_sort_killed_at_random_loses_and_changes_nothing(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any], other_file_system: bool
) -> None:
    """On one file system each photo is there once after every kill.

    To another it may be there twice, where the kill came between the copy and the removal; the
    next run says duplicate. None is ever missing or cut.
    """
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for seed in range(1500):
        draw("cats" if seed % 2 else "dogs", seed, (32, 24)).save(inbox / f"{seed:04}.png")
    before = contents(inbox)
    assert set(before.values()) == {1}
    into = inbox
    if other_file_system:
        import tempfile

        if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == inbox.stat().st_dev:
            pytest.skip("needs /dev/shm as a second file system")
        into = Path(tempfile.mkdtemp(dir="/dev/shm"))
    moments = random.Random(7)
    command = catdog("sort", inbox, "--into", into, "--model", tiny_model, "--json")
    kills = 0
    for _ in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()  # a move has begun
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
            process.stdout.read()
        left = len(list(inbox.glob("*.png")))
        kills += process.returncode < 0 and left > 0
        whole = contents(inbox) if into == inbox else contents(inbox) + _without_temporary(into)
        assert set(before) <= set(whole)
        if into == inbox:
            assert whole == before
    assert kills >= 10  # while there was something left to do
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    filed = _without_temporary(into)
    assert set(filed) == set(before)
    assert set(filed.values()) == {1}
    if other_file_system:
        import shutil

        shutil.rmtree(into)


def _without_temporary(folder: Path) -> Counter[bytes]:
    return Counter(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".catdog-")
    )


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
def test_training_killed_twice_goes_on_where_it_was(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    models = tmp_path / "models"
    command = catdog("--models-dir", models, "train", data, "--epochs", "4")
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("Epoch"):
                    time.sleep(0.3)  # into the next epoch
                    process.kill()
            assert process.wait() != 0
        command = [*command, "--resume"] if "--resume" not in command else command
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (manifest,) = models.glob("*/manifest.json")
    history = json.loads(manifest.read_text())["recipe"]["history"]
    assert [epoch["number"] for epoch in history] == [1, 2, 3, 4]


def test_a_folder_of_ten_thousand_photos_is_accounted_for(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    content = {}
    for kind in ("cats", "dogs"):
        draw(kind, 1, (24, 24)).save(tmp_path / "one.png")
        content[kind] = (tmp_path / "one.png").read_bytes()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(10_000):
        (inbox / f"{number:05}.png").write_bytes(content["cats" if number % 3 else "dogs"])
    shown = subprocess.run(
        catdog("sort", inbox, "--model", tiny_model, "--json"),
        check=True,
        capture_output=True,
        text=True,
    )
    outcomes = Counter(json.loads(line)["outcome"] for line in shown.stdout.splitlines())
    assert outcomes == {"moved": 10_000}
    assert len(list((inbox / "cats").iterdir())) == 6666
    assert len(list((inbox / "dogs").iterdir())) == 3334
    assert "10000 files:" in shown.stderr
