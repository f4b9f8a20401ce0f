"""What takes minutes: training killed, and very large folders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytestmark = pytest.mark.long
MOST_MEMORY = 250 * 2**20  # bytes, of a dry run over 100,000 files


def catdog(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "catdog", *map(str, arguments)]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 as POSIX has it")
def test_training_killed_five_times_ends_like_one_that_was_not(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """At a random moment of a random epoch each; what it learns on is the same, step by step."""
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    options = ["--network", "residual", "--set", "size=32", "--set", "batch_size=16"]
    results = []
    for kills in (0, 5):
        models = tmp_path / f"models-{kills}"
        command = catdog("--models-dir", models, "train", data, *options, "--epochs", "12")
        random = Random(kills)
        killed = 0
        while killed < kills:
            epochs = random.randint(0, 2)
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    if not line.startswith(("Checkpoints", "Epoch")):
                        continue
                    if epochs == 0:
                        time.sleep(random.random())
                        process.kill()
                    epochs -= 1
                assert process.wait() == -signal.SIGKILL, "it was over before it was killed"
            killed += 1
            if "--resume" not in command:
                command.append("--resume")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (manifest,) = models.glob("*/manifest.json")
        results.append(json.loads(manifest.read_text()))
    unbroken, broken = results
    numbers = [epoch["number"] for epoch in unbroken["recipe"]["history"]]
    assert [epoch["number"] for epoch in broken["recipe"]["history"]] == numbers
    assert unbroken["metrics"]["validation"]["accuracy"] > 0.9
    assert broken["metrics"]["validation"]["accuracy"] > 0.9


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as POSIX has it")
def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path, fill_folder: Callable[..., Path]) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    models = tmp_path / "models"
    command = catdog("--models-dir", models, "train", data, "--network", "minimal",
                     "--epochs", "200")  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("Epoch 3 "):
                process.send_signal(signal.SIGINT)
                break
        said = process.stderr.read()
    assert process.returncode == 130
    assert "--resume --finish makes a model of the best so far" in said
    assert list(models.glob("*/manifest.json")) == []
    subprocess.run([*command, "--resume", "--finish"], check=True, stdout=subprocess.DEVNULL)
    (manifest,) = models.glob("*/manifest.json")
    assert 3 <= json.loads(manifest.read_text())["recipe"]["epochs_done"] < 200


@pytest.fixture
def many(tmp_path: Path, draw: Callable[..., Any]) -> Callable[[Path, int], None]:
    """Make folders with very many photos: two of three are cats."""
    content = {}
    for kind in ("cats", "dogs"):
        draw(kind, 1, (24, 24)).save(tmp_path / "one.png")
        content[kind] = (tmp_path / "one.png").read_bytes()
    (tmp_path / "one.png").unlink()

    def fill(folder: Path, number: int) -> None:
        folder.mkdir(exist_ok=True)
        for one in range(number):
            (folder / f"{one:06}.png").write_bytes(content["cats" if one % 3 else "dogs"])

    return fill


def test_a_folder_of_ten_thousand_photos_is_accounted_for(
    tmp_path: Path, tiny_model: Path, many: Callable[[Path, int], None]
) -> None:
    inbox = tmp_path / "inbox"
    many(inbox, 10_000)
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
    undone = subprocess.run(catdog("undo"), check=True, capture_output=True, text=True)
    assert "10000 files of run 1 put back." in undone.stdout
    assert len(list(inbox.iterdir())) == 10_000


def test_ten_thousand_photos_dropped_at_once_are_all_filed(
    tmp_path: Path, tiny_model: Path, many: Callable[[Path, int], None]
) -> None:
    """More at once than inotify's queue may hold, while the daemon is at work."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with subprocess.Popen(
        catdog("watch", inbox, "--model", tiny_model, "--settle", "0.5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Watching ")
        many(inbox, 10_000)
        moved = 0
        for line in process.stdout:
            moved += " -> " in line
            if moved == 10_000:
                break
        process.terminate()
        process.stdout.read()
    assert process.returncode == 0
    assert [path.name for path in inbox.iterdir() if path.is_file()] == []
    assert sum(1 for path in inbox.rglob("*.png")) == 10_000


def test_a_photo_that_grows_for_ten_seconds_is_filed_whole(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    """And one that pauses for longer than a file must be still is not filed half."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    draw("cats", 1, (640, 480)).save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    with (
        subprocess.Popen(
            catdog("watch", inbox, "--model", tiny_model, "--settle", "1", "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        (inbox / "slow.jpg").open("wb") as slow,
        (inbox / "pauses.jpg").open("wb") as pauses,
    ):
        assert process.stderr is not None
        process.stderr.readline()
        pauses.write(content[: len(content) // 2])
        pauses.flush()
        step = len(content) // 40 + 1
        for start in range(0, len(content), step):
            slow.write(content[start : start + step])
            slow.flush()
            assert list(inbox.glob("cats/*")) == []
            time.sleep(0.25)
        pauses.write(content[len(content) // 2 :])
        slow.close()
        pauses.close()
        end = time.monotonic() + 60
        while len(list(inbox.glob("cats/*"))) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        process.terminate()
        out = process.communicate(timeout=60)[0]
    assert {path.read_bytes() for path in inbox.glob("cats/*")} == {content}
    outcomes = [json.loads(line) for line in out.splitlines()]
    assert [o["outcome"] for o in outcomes if o["path"].endswith("slow.jpg")] == ["moved"]
    reasons = [o["reason"] for o in outcomes if o["path"].endswith("pauses.jpg")]
    # where the system knows that it is open for writing, half of it is not even decoded
    assert reasons == ([None] if sys.platform == "linux" else ["truncated", None])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_a_dry_run_over_a_hundred_thousand_files_stays_small(
    tmp_path: Path, tiny_model: Path, many: Callable[[Path, int], None]
) -> None:
    inbox = tmp_path / "inbox"
    many(inbox, 100_000)
    code = (
        "import sys, pathlib; from catdog import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "sys.stderr.write(next(line for line in status.splitlines() if line[:5] == 'VmHWM'))"
    )
    shown = subprocess.run(
        [
            sys.executable, "-c", code,
            "sort", inbox, "--model", tiny_model, "--dry-run", "--threshold", "0.5",
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    peak = int(shown.stderr.rpartition("VmHWM:")[2].split()[0]) * 1024
    sys.stdout.write(f"peak memory: {peak / 2**20:.0f} MB\n")
    assert shown.stdout.count("\n") >= 100_000
    assert "66666 would be moved to cats/" in shown.stdout
    assert peak < MOST_MEMORY
