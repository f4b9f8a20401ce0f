"""sort and watch as commands, on real folders."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.images.decode import open_image
from core.labels import PhotoClass, Role
from core.model.manifest import read_manifest
from core.model.promotion import promote
from core.store.database import Store
from sorter.filing.mover import Mover
from sorter.identity import FileIdentity
from sorter.journal.moves import Kind, PlannedMove
from sorter.journal.run import Run
from sorter.outcome import Outcome, Reason
from tests.core.images.raw_files import FORMATS
from tests.sorter.groups import group_of

Put = Callable[[Path, bytes], Path]

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
    assert "the same file is already cats/cats300.jpg" in result.stdout
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


@pytest.fixture
def knows_both(tiny_model: Path, tmp_path: Path) -> Path:
    """A model that takes what is green for a photo of both."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "knows-both"))
    manifest = read_manifest(copy)
    both = PhotoClass("both", "both", Role.BOTH, {"en": "both"}, 0.6)
    replace(manifest, classes=(*manifest.classes[:2], both)).write(copy)
    return copy


def test_what_shows_both_is_left_and_said_to_be(folder: Path, knows_both: Path) -> None:
    result = run("sort", folder, "--model", knows_both)
    assert "other300.jpg: left, cat and dog, " in result.stdout
    assert "2 left, of more than one kind; --others move puts it into other/" in result.stdout
    result = run("sort", folder, "--model", knows_both, "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    (one,) = (o for o in found if Path(o["path"]).name == "other300.jpg")
    assert (one["outcome"], one["reason"], one["label"]) == ("left", "both", "both")
    assert one["destination"] is None
    assert not (folder / "both").exists()


def test_what_shows_both_goes_to_other_with_the_others(folder: Path, knows_both: Path) -> None:
    """And comes back; it is never put into a folder of its own."""
    before = tree(folder)
    result = run("sort", folder, "--model", knows_both, "--others", "move")
    assert "other300.jpg -> other/other300.jpg: cat and dog, " in result.stdout
    assert "2 moved to other/" in result.stdout
    assert not (folder / "both").exists()
    run("undo")
    assert tree(folder) == before


def test_a_persons_folder_called_both_is_sorted_like_any_other(
    folder: Path, knows_both: Path
) -> None:
    (folder / "both").mkdir()
    for name in ("cats300.jpg", "other300.jpg"):
        (folder / name).rename(folder / "both" / name)
    run("sort", folder, "--model", knows_both, "--recursive")
    assert (folder / "cats" / "cats300.jpg").exists()
    assert (folder / "both" / "other300.jpg").exists()
    shutil.copy(folder / "cats" / "cats301.jpg", folder / "both" / "tom.jpg")
    into = run("sort", folder / "both", "--into", folder, "--model", knows_both)
    assert into.exit_code == 0
    assert (folder / "cats" / "tom.jpg").exists()


def test_a_threshold_below_the_models_own_files_no_more(folder: Path, tiny_model: Path) -> None:
    manifest = read_manifest(tiny_model)
    careful = Path(shutil.copytree(tiny_model, folder.parent / "careful"))
    classes = tuple(one.with_threshold(1.0) for one in manifest.classes)
    replace(manifest, classes=classes).write(careful)
    result = run("sort", folder, "--model", careful, "--threshold", "0.1")
    assert "6 left, not sure enough; --others move puts it into unsure/" in result.stdout
    assert not (folder / "cats").exists()


def test_a_class_folder_is_not_sorted(folder: Path, tiny_model: Path) -> None:
    run("sort", folder, "--model", tiny_model)
    result = run("sort", folder / "cats", "--into", folder, "--model", tiny_model)
    assert result.exit_code == 2
    assert "where photos are filed" in result.stderr


def test_a_folder_that_photos_were_filed_into_is_refused_wherever_it_is_said_to_go(
    folder: Path, tiny_model: Path
) -> None:
    """Without --into it would be sorted into itself; the journal knows what it is."""
    run("sort", folder, "--model", tiny_model)
    for command in ("sort", "watch"):
        result = run(command, folder / "cats", "--model", tiny_model)
        assert result.exit_code == 2
        assert "where photos were filed" in result.stderr
    run("undo")
    (folder / "cats").mkdir()
    assert run("sort", folder / "cats", "--model", tiny_model).exit_code == 0


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


def test_a_photo_whose_name_is_taken_is_numbered_or_left_with_all_that_belongs_to_it(
    folder: Path, tiny_model: Path, put: Put
) -> None:
    put(folder / "cats" / "cats300.jpg", b"another cat")
    put(folder / "cats" / "cats301.xmp", b"another's notes")
    put(folder / "cats300.xmp", b"300")
    put(folder / "cats301.xmp", b"301")
    skipped = run("sort", folder, "--model", tiny_model, "--conflict", "skip")
    assert "cats300.jpg: left, cats/cats300.jpg is another file" in skipped.stdout
    assert "cats301.jpg: left, cats/cats301.xmp is another file" in skipped.stdout
    assert "2 left, another file has its name there" in skipped.stdout
    assert (folder / "cats300.xmp").read_bytes() == b"300"
    assert (folder / "cats301.xmp").read_bytes() == b"301"
    renamed = run("sort", folder, "--model", tiny_model)
    assert "cats300.jpg -> cats/cats300 (1).jpg: cat, " in renamed.stdout
    assert tree(folder)["cats/cats300 (1).xmp"] == b"300"
    assert tree(folder)["cats/cats301 (1).xmp"] == b"301"
    assert (folder / "cats" / "cats301 (1).jpg").exists()
    assert tree(folder)["cats/cats300.jpg"] == b"another cat"


def test_paths_are_shown_as_the_folders_were_named(
    folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, or through a link; the journal keeps the real ones."""
    monkeypatch.chdir(folder.parent)
    (folder.parent / "link").symlink_to(folder)
    result = run("sort", "link", "--into", "sorted", "--model", tiny_model, "--json")
    shown = {o["path"]: o["destination"] for o in map(json.loads, result.stdout.splitlines())}
    name = str(Path("link", "cats300.jpg"))
    assert shown[name] == str(Path("sorted", "cats", "cats300.jpg"))
    (first, *_) = (json.loads(o) for o in run("history", "1", "--json").stdout.splitlines())
    assert Path(first["source"]).parent == folder.resolve()
    assert "1 files put back" in run("undo", Path("sorted", "cats", "cats300.jpg")).stdout
    assert "1 files put back" in run("undo", Path("link", "cats301.jpg")).stdout
    assert (folder / "cats301.jpg").exists()


def test_patterns_and_dates(folder: Path, tiny_model: Path) -> None:
    os.utime(folder / "cats300.jpg", (1_600_000_000, 1_600_000_000))
    options = ("--include", "cats*", "--exclude", "*301*", "--by-date")
    result = run("sort", folder, "--model", tiny_model, *options)
    assert "cats300.jpg -> cats/2020/09/cats300.jpg: cat, " in result.stdout
    assert "1 moved to cats/2020/09/" in result.stdout
    assert "6 left, as --include and --exclude say" in result.stdout
    assert result.exit_code == 0  # the damaged one was not asked for
    run("undo")
    assert (folder / "cats300.jpg").exists()
    assert not (folder / "cats").exists()


def test_a_journal_that_cannot_be_written_moves_nothing(
    folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    before = tree(folder)
    (tmp_path / "state").write_bytes(b"a file where the folder should be")
    result = run("--state-dir", tmp_path / "state" / "x", "sort", folder, "--model", tiny_model)
    assert result.exit_code == 1
    assert "cannot be made" in result.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "catdog.sqlite3").write_bytes(b"no database" * 999)
    result = run("--state-dir", tmp_path / "other", "sort", folder, "--model", tiny_model)
    assert result.exit_code == 1
    assert "Nothing is moved without it" in result.stderr
    assert tree(folder) == before


def test_a_run_that_was_killed_is_finished_by_the_next_and_reported(
    folder: Path, tiny_model: Path, store: Store
) -> None:
    photo = folder / "cats300.jpg"
    identity = FileIdentity.of(photo)
    assert identity is not None
    killed = Run(store, "sort", folder, folder)
    killed.plan([[PlannedMove(Kind.MOVE, photo, folder / "cats" / photo.name, identity)]])
    (folder / "cats").mkdir()
    photo.rename(folder / "cats" / photo.name)
    killed._lock.release()
    dry = run("sort", folder, "--model", tiny_model, "--dry-run")
    assert "broken off" not in dry.stderr
    result = run("sort", folder, "--model", tiny_model)
    assert f"Run {killed.id} (sort {folder}) was broken off: 1 files" in result.stderr
    assert "broken off" not in run("history").stderr
    assert "1 files of run 1 put back" in run("undo", killed.id).stdout
    assert photo.exists()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount small file systems; tests that ask for one are skipped where that is not allowed."""
    points: list[Path] = []

    def mount(*options: str) -> Path:
        point = tmp_path / f"mounted{len(points)}"
        point.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(point)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("file systems cannot be mounted here")
        points.append(point)
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "--lazy", str(point)], check=False, capture_output=True)


def test_a_disk_that_is_full_loses_nothing(
    folder: Path, tiny_model: Path, mounted: Callable[..., Path], draw: Callable[..., object]
) -> None:
    """Some fit, some do not; what did not fit is filed once there is room."""
    before = Counter(tree(folder).values())
    full = mounted("size=16k")
    for kind in ("cats", "dogs"):
        for seed in range(320, 326):
            draw(kind, seed).save(folder / f"{kind}{seed}.jpg")  # type: ignore[attr-defined]
    before = Counter(tree(folder).values())
    result = run("sort", folder, "--into", full, "--model", tiny_model)
    assert result.exit_code == 1
    assert "Failed (disk-full): " in result.stdout
    assert "Make room on that disk, then sort again." in result.stdout
    filed = tree(full)
    assert filed
    assert not [name for name in filed if ".catdog-" in name]
    assert Counter(tree(folder).values()) + Counter(filed.values()) == before
    subprocess.run(["mount", "-o", "remount,size=10m", str(full)], check=True)
    run("sort", folder, "--into", full, "--model", tiny_model)
    assert len(tree(full)) == 16
    assert Counter(tree(folder).values()) + Counter(tree(full).values()) == before


def test_a_destination_that_is_read_only_is_said(
    folder: Path, tiny_model: Path, mounted: Callable[..., Path]
) -> None:
    before = tree(folder)
    locked = mounted("size=1m,ro")
    result = run("sort", folder, "--into", locked, "--model", tiny_model)
    assert result.exit_code == 1
    assert "Failed (no-permission): " in result.stdout
    assert tree(folder) == before


def test_a_destination_whose_disk_goes_away_in_the_middle_is_not_filed_into(
    folder: Path, tiny_model: Path, mounted: Callable[..., Path], store: Store
) -> None:
    """Else photos would land in the empty mount point, hidden once the disk is back."""
    into = mounted("size=1m")
    photo = folder / "cats300.jpg"
    mover = Mover(Run(store, "sort", folder, into), into)
    subprocess.run(["umount", str(into)], check=True)
    ((placed,),) = mover.place([group_of(mover, photo, into / "cats")])
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, Reason.DESTINATION_GONE)
    assert photo.exists()
    assert list(into.iterdir()) == []


def test_a_second_daemon_of_a_folder_is_refused(folder: Path, tiny_model: Path) -> None:
    with watching(folder, tiny_model):
        second = subprocess.run(
            [sys.executable, "-m", "catdog", "watch", str(folder), "--model", str(tiny_model)],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        assert second.returncode == 5
        assert "watched by another catdog already" in second.stderr


@contextmanager
def watching(folder: Path, model: Path | None, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the daemon as its own process, and stop it if the test has not."""
    chosen = ["--model", str(model)] if model else []
    process = subprocess.Popen(
        [sys.executable, "-m", "catdog", "watch", str(folder), *chosen, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("Watching "), first
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
@pytest.mark.long  # it is noticed every five seconds
def test_watch_takes_up_a_model_that_is_promoted_meanwhile(
    folder: Path, tiny_model: Path, draw: Callable[..., object]
) -> None:
    """With its class folders; what it left before is sorted again, and nothing is lost."""
    models = Path(os.environ["CATDOG_MODELS_DIR"])
    for name, label in (("first", "cats"), ("second", "kittens")):
        copy = Path(shutil.copytree(tiny_model, models / name))
        manifest = json.loads((copy / "manifest.json").read_text())
        manifest["version"] = name
        manifest["classes"][0]["folder"] = label
        (copy / "manifest.json").write_text(json.dumps(manifest))
    promote(models, "first")
    with watching(folder, None, "--settle", "0.3") as process:
        wait_until(lambda: len(list(folder.glob("*s/*.jpg"))) == 4)
        promote(models, "second")
        assert process.stdout is not None
        for line in process.stdout:
            if "The model second sorts from now on" in line:
                break
        draw("cats", 310).save(folder / "tom.jpg")  # type: ignore[attr-defined]
        wait_until((folder / "kittens" / "tom.jpg").exists)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    runs = [json.loads(line) for line in run("history", "--json").stdout.splitlines()]
    assert {one["model"] for one in runs} == {"first", "second"}
    assert len(list(folder.glob("cats/*.jpg"))) == 2, "what the first filed stays"


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_watch_waits_for_a_file_that_grows_and_files_it_whole(
    folder: Path, tiny_model: Path, draw: Callable[..., object], tmp_path: Path
) -> None:
    draw("cats", 320, (640, 480)).save(tmp_path / "whole.jpg")  # type: ignore[attr-defined]
    content = (tmp_path / "whole.jpg").read_bytes()
    with (
        watching(folder, tiny_model, "--settle", "0.6", "--json") as process,
        (folder / "slow.jpg").open("wb") as slow,
    ):
        for start in range(0, len(content), len(content) // 8):
            slow.write(content[start : start + len(content) // 8])
            slow.flush()
            time.sleep(0.1)
            assert not (folder / "cats" / "slow.jpg").exists()
        slow.close()
        wait_until((folder / "cats" / "slow.jpg").exists)
        process.terminate()
        lines = process.communicate(timeout=DEADLINE)[0].splitlines()
    assert (folder / "cats" / "slow.jpg").read_bytes() == content
    shown = [json.loads(line) for line in lines if line.startswith("{")]
    assert [o["outcome"] for o in shown if o["path"].endswith("slow.jpg")] == ["moved"]


def test_what_is_skipped_is_named_in_the_summary(folder: Path, tiny_model: Path) -> None:
    for store in ("Photos Library.photoslibrary", "trip/@eaDir", "trip/Cats", "old"):
        (folder / store).mkdir(parents=True)
        shutil.copy(folder / "cats300.jpg", folder / store / "tom.jpg")
    before = tree(folder / "trip"), tree(folder / "old")
    result = run("sort", folder, "--recursive", "--exclude", "old", "--model", tiny_model)
    assert (tree(folder / "trip"), tree(folder / "old")) == before
    for words in (
        "2 folders skipped, another program keeps its own there: ",
        "1 folder skipped, named like one that photos are filed into; rename it to sort it: "
        "trip/Cats",
        "1 folder skipped, as --exclude says: old",
    ):
        assert words in result.stdout
    assert "trip/@eaDir" in result.stdout
    again = run("sort", folder, "--recursive", "--model", tiny_model)
    assert "cats, dogs" not in again.stdout, "where this very run files is not worth a word"


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_subfolder_that_cannot_be_listed_is_a_failure_that_is_named(
    folder: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    (folder / "cut.jpg").unlink()
    scandir = os.scandir

    def refuse(path: Path) -> object:  # root may list anything
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("sort", folder, "--recursive", "--model", tiny_model, "--json")
    assert result.exit_code == 1
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    (one,) = (o for o in shown if o["path"] == str(closed))
    assert (one["outcome"], one["reason"]) == ("failed", "no-permission")
    assert "moved" in {o["outcome"] for o in shown}


@pytest.mark.parametrize(
    "arguments",
    [
        ("sort", ""), ("watch", ""), ("doctor", ""), ("status", ""), ("undo", ""),
        ("sort", ".", "--into", ""), ("watch", ".", "--into", ""), ("doctor", ".", "--into", ""),
        ("watch", ".", "--settle", "nan"), ("watch", ".", "--settle", "inf"),
        ("sort", ".", "--threshold", "nan"), ("sort", ".", "--still-seconds", "inf"),
        ("sort", ".", "--still-seconds", "-1"),
    ],
)  # fmt: skip
def test_empty_names_and_numbers_that_are_none_are_wrong_usage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """An empty variable in a script must not sort the current folder."""
    monkeypatch.chdir(folder)
    before = tree(folder)
    assert run(*arguments).exit_code == 2
    assert tree(folder) == before


def sort_into(folder: Path, model: Path, shell: str) -> subprocess.CompletedProcess[str]:
    """Run sort with its standard output as a shell makes it; `$0` is the command."""
    command = f"{sys.executable} -m catdog sort {folder} --model {model}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} {shell}"], capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("shell", [">/dev/full", ">&-"])
@pytest.mark.parametrize("option", ["", "--json"])
def test_an_output_that_cannot_be_written_is_one_line_and_loses_nothing(
    folder: Path, tiny_model: Path, shell: str, option: str
) -> None:
    before = Counter(tree(folder).values())
    done = sort_into(folder, tiny_model, f"{option} {shell}")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: standard output cannot be written (")
    assert Counter(tree(folder).values()) == before
    run("undo")
    assert not (folder / "cats").exists()
    assert len(list(folder.glob("*.jpg"))) == 7
    assert all(json.loads(one)["ended"] for one in run("history", "--json").stdout.splitlines())


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_pipe_that_has_enough_ends_it_quietly(
    folder: Path, tiny_model: Path, draw: Callable[..., object]
) -> None:
    for seed in range(400, 500):
        draw("cats", seed).save(folder / f"{seed}.jpg")  # type: ignore[attr-defined]
    before = Counter(tree(folder).values())
    done = sort_into(folder, tiny_model, "| head -1")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert Counter(tree(folder).values()) == before
    filed = len(list((folder / "cats").iterdir()))
    moves = [json.loads(one) for one in run("history", "1", "--json").stdout.splitlines()]
    assert sum(one["state"] == "done" for one in moves) == filed
    assert "broken off" not in run("history").stderr


def raw(kind: str, picture: Any, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    return FORMATS[kind](stream.getvalue(), picture.size, options.get("orientation", 1))


RAWS = {"DNG": ".dng", "Canon CR2": ".CR2", "Canon CR3": ".cr3", "Nikon NEF": ".NEF"}
RAWS |= {"Sony ARW": ".ARW", "Fujifilm RAF": ".raf", "Olympus ORF": ".orf", "Panasonic RW2": ".rw2"}


def test_raw_photos_alone_are_filed_by_their_own_preview(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    """With their notes; with --raw off they stay."""
    folder = tmp_path / "card"
    folder.mkdir()
    for number, (kind, suffix) in enumerate(RAWS.items()):
        animal = ("cats", "dogs")[number % 2]
        content = raw(kind, draw(animal, 340 + number, (1200, 800)))
        (folder / f"{animal}{number}{suffix}").write_bytes(content)
    (folder / "cats0.xmp").write_text("a note")
    (folder / "dogs1.CR2.xmp").write_text("a note")
    before = tree(folder)
    result = run("sort", folder, "--model", tiny_model, "--raw", "off")
    assert result.exit_code == 0
    assert "8 raw photos" in result.stdout
    assert tree(folder) == before
    result = run("sort", folder, "--model", tiny_model)
    assert result.exit_code == 0, result.output
    assert set(tree(folder)) == {f"{name[:4]}/{name}" for name in before}
    assert run("undo").exit_code == 0
    assert tree(folder) == before


def test_a_raw_photo_lies_as_it_was_held(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any]
) -> None:
    """What the raw file says of that counts, not the preview."""
    photo = tmp_path / "tom.dng"
    photo.write_bytes(raw("DNG", draw("cats", 350, (1200, 800)), orientation=6))
    assert open_image(photo, min_side=800).size == (800, 1200)


def test_raw_photos_without_a_preview_are_counted_and_stay(folder: Path, tiny_model: Path) -> None:
    """The one beside a JPEG goes with it, or is the JPEG's."""
    header = b"II*\0\x10\0\0\0CR\2\0" + bytes(200)
    for name in ("a.CR2", "b.nef", "cats300.dng", "other300.ARW"):
        (folder / name).write_bytes(header)
    result = run("sort", folder, "--model", tiny_model, "--others", "move")
    assert "2 raw photos: catdog reads the JPEG beside them, or the preview" in result.stdout
    assert (folder / "cats" / "cats300.dng").exists()
    (folder / "b.nef").unlink()
    shown = run("sort", folder, "--model", tiny_model, "--json")
    assert "1 raw photo: catdog reads the JPEG beside it" in shown.stderr
    outcomes = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(Path(o["path"]).name, o["reason"]) for o in outcomes if o["reason"] == "raw"] == [
        ("a.CR2", "raw")
    ]
    assert (folder / "a.CR2").exists()


@pytest.mark.parametrize("name", ["x.psd", "x.tga", "x.ico", "x.pcx", "x.ppm"])
def test_other_formats_are_input_only_where_include_names_them(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any], name: str
) -> None:
    """Programs keep such files for themselves; predict reads them all the same."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    if name != "x.psd":
        draw("cats", 300, (128, 128)).save(folder / name)
    else:
        pixels = np.asarray(draw("cats", 300, (128, 128)))
        head = struct.pack(">4sH6xHIIHH12xH", b"8BPS", 1, 3, 128, 128, 8, 3, 0)
        (folder / name).write_bytes(head + pixels.transpose(2, 0, 1).tobytes())
    before = tree(folder)
    assert "not" in run("sort", folder, "--model", tiny_model).stdout
    assert tree(folder) == before
    assert ": cat" in run("predict", folder, "--model", tiny_model).stdout
    run("sort", folder, "--model", tiny_model, "--include", "x.*")
    assert (folder / "cats" / name).exists()


@pytest.mark.parametrize(
    "name", ["x.jpg_large", "IMG.jpg (1)", "x.PJPEG", "x.jif", "x.jxl", "x.jp2"]
)
def test_names_that_browsers_give_are_input(
    tmp_path: Path, tiny_model: Path, draw: Callable[..., Any], name: str
) -> None:
    import pillow_jxl  # noqa: F401

    folder = tmp_path / "pictures"
    folder.mkdir()
    formats = {"x.jxl": "JXL", "x.jp2": "JPEG2000"}
    draw("cats", 300).save(folder / name, formats.get(name, "JPEG"))
    run("sort", folder, "--model", tiny_model)
    assert (folder / "cats" / name).exists()
