"""sort and watch as commands, on real folders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main

DEADLINE = 60.0  # seconds; only a failing test waits that long


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six photos, a damaged one, and what is no photo at all."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for kind in ("cats", "dogs", "other"):
        for seed in (300, 301):
            draw(kind, seed).save(folder / f"{kind}{seed}.jpg")  # type: ignore[attr-defined]
    (folder / "cut.jpg").write_bytes((folder / "cats300.jpg").read_bytes()[:400])
    for name in ("film.mov", "letter.pdf", "Thumbs.db"):
        (folder / name).write_bytes(b"x")
    return folder


def test_sort_files_what_is_sure_and_says_what_it_left(folder: Path, tiny_model: Path) -> None:
    before = Counter(tree(folder).values())
    result = run("sort", folder, "--model", tiny_model)
    after = tree(folder)
    assert result.exit_code == 1
    assert {name for name in after if "/" in name} == {
        "cats/cats300.jpg", "cats/cats301.jpg", "dogs/dogs300.jpg", "dogs/dogs301.jpg",
    }  # fmt: skip
    assert Counter(after.values()) == before
    assert "cats300.jpg -> cats/cats300.jpg: cat, " in result.stdout
    assert "Failed (truncated): " in result.stdout
    for line in (
        "10 files:",
        "2 moved to cats/",
        "2 moved to dogs/",
        "2 left, of neither kind; --others move",
        "1 failed (truncated), left",
        "3 not a photo, left alone",
    ):
        assert line in result.stdout


def test_json_has_one_object_a_file(folder: Path, tiny_model: Path) -> None:
    result = run("sort", folder, "--model", tiny_model, "--json", "--others", "move")
    found = {
        Path(o["path"]).name: o for o in (json.loads(line) for line in result.stdout.splitlines())
    }
    assert len(found) == 10
    keys = {"path", "outcome", "reason", "destination", "label", "confidence", "model"}
    assert all(set(o) == keys for o in found.values())
    assert found["film.mov"]["outcome"] == "not-a-photo"
    assert found["cut.jpg"]["destination"] == str(folder / "unreadable" / "cut.jpg")
    assert (found["other300.jpg"]["outcome"], found["other300.jpg"]["reason"]) == (
        "moved", "neither",
    )  # fmt: skip
    assert found["cats300.jpg"]["label"] == "cat"
    assert found["cats300.jpg"]["model"] == tiny_model.name
    assert result.exit_code == 1  # a damaged file is one that failed, wherever it now is
    assert (folder / "other" / "other300.jpg").exists()


def test_a_dry_run_says_the_same_and_changes_nothing(folder: Path, tiny_model: Path) -> None:
    before = sorted(folder.rglob("*")), tree(folder)
    dry = run("sort", folder, "--model", tiny_model, "--dry-run", "--others", "move")
    assert (sorted(folder.rglob("*")), tree(folder)) == before
    real = run("sort", folder, "--model", tiny_model, "--others", "move")
    assert "this was a dry run" in dry.stdout
    assert "cut.jpg -> unreadable/cut.jpg: " in real.stdout
    assert "ends early or is damaged" in real.stdout
    said = dry.stdout.replace("would be moved", "moved").splitlines()
    assert said[:-1] == real.stdout.splitlines()


def test_sorting_again_finds_nothing_to_do(folder: Path, tiny_model: Path) -> None:
    run("sort", folder, "--model", tiny_model, "--recursive")
    before = tree(folder)
    result = run("sort", folder, "--model", tiny_model, "--recursive")
    assert "moved" not in result.stdout
    assert tree(folder) == before


def test_copies_and_duplicates(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    into = tmp_path / "sorted"
    run("sort", folder, "--into", into, "--copy", "--model", tiny_model)
    assert len(tree(folder)) == 10
    assert len(tree(into)) == 4
    result = run("sort", folder, "--into", into, "--model", tiny_model)
    assert "4 duplicate, left" in result.stdout
    assert "the same photo is already cats/cats300.jpg" in result.stdout
    assert len(tree(folder)) == 10


def test_a_folder_without_photos_is_counted_and_well(tmp_path: Path, tiny_model: Path) -> None:
    for name in ("film.mov", "letter.pdf", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"x")
    result = run("sort", tmp_path, "--model", tiny_model)
    assert result.exit_code == 0
    assert "3 not a photo, left alone" in result.stdout


def test_an_empty_folder_is_well(tmp_path: Path, tiny_model: Path) -> None:
    result = run("sort", tmp_path, "--model", tiny_model)
    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing to sort")


def test_a_higher_threshold_leaves_more(folder: Path, tiny_model: Path) -> None:
    result = run("sort", folder, "--model", tiny_model, "--threshold", "1")
    assert "6 left, not sure enough: --threshold under 1 files more" in result.stdout
    assert not (folder / "cats").exists()


def test_a_class_folder_is_not_sorted(folder: Path, tiny_model: Path) -> None:
    run("sort", folder, "--model", tiny_model)
    result = run("sort", folder / "cats", "--into", folder, "--model", tiny_model)
    assert result.exit_code == 2
    assert "where photos are filed" in result.stderr


def test_sorting_what_was_set_apart_into_the_same_place_leaves_it(
    folder: Path, tiny_model: Path
) -> None:
    run("sort", folder, "--model", tiny_model, "--threshold", "1", "--others", "move")
    before = tree(folder)
    again = ("--into", folder, "--model", tiny_model, "--threshold", "1", "--others", "move")
    result = run("sort", folder / "unsure", *again)
    assert result.exit_code == 0
    assert "6 left, already where it belongs" in result.stdout
    assert tree(folder) == before


@contextmanager
def watching(folder: Path, model: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the daemon as its own process, and stop it if the test has not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "catdog", "watch", str(folder), "--model", str(model), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Watching ")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_watch_sorts_what_is_there_and_what_comes(
    folder: Path, tiny_model: Path, draw: Callable[..., object], how: signal.Signals
) -> None:
    before = tree(folder)
    with watching(folder, tiny_model, "--settle", "0.3") as process:
        wait_until(lambda: len(list(folder.glob("*s/*.jpg"))) == 4)
        draw("dogs", 310).save(folder / "rex.jpg")  # type: ignore[attr-defined]
        draw("cats", 311).save(folder / "download.jpg.part", format="JPEG")  # type: ignore[attr-defined]
        (folder / "download.jpg.part").rename(folder / "download.jpg")
        wait_until((folder / "dogs" / "rex.jpg").exists)
        wait_until((folder / "cats" / "download.jpg").exists)
        process.send_signal(how)
        output = process.communicate(timeout=DEADLINE)[0]
    assert process.returncode == 0
    assert "rex.jpg -> dogs/rex.jpg: dog, " in output
    assert "other300.jpg: left, " in output
    assert "Failed (truncated): " in output
    assert output.splitlines()[-1] == "Stopped."
    after = Counter(tree(folder).values())
    assert all(after[content] == 1 for content in before.values() if content != b"x")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_watch_waits_for_a_file_that_grows_and_files_it_whole(
    folder: Path, tiny_model: Path, draw: Callable[..., object], tmp_path: Path
) -> None:
    draw("cats", 320, (640, 480)).save(tmp_path / "whole.jpg")  # type: ignore[attr-defined]
    content = (tmp_path / "whole.jpg").read_bytes()
    with (
        watching(folder, tiny_model, "--settle", "1.5", "--json") as process,
        (folder / "slow.jpg").open("wb") as slow,
    ):
        for start in range(0, len(content), len(content) // 8):
            slow.write(content[start : start + len(content) // 8])
            slow.flush()
            time.sleep(0.25)
            assert not (folder / "cats" / "slow.jpg").exists()
        slow.close()
        wait_until((folder / "cats" / "slow.jpg").exists)
        process.terminate()
        lines = process.communicate(timeout=DEADLINE)[0].splitlines()
    assert (folder / "cats" / "slow.jpg").read_bytes() == content
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert [o["outcome"] for o in told if o["path"].endswith("slow.jpg")] == ["moved"]
