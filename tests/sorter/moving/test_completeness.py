"""A file that somebody may still be writing to is neither copied away nor called damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sorter.moving.completeness import Writers, is_complete, seconds_until_still, writers_of

Draw = Callable[..., Any]
Wait = Callable[[Callable[[], object]], None]

UPLOADER = 12345  # a user that is not the one who sorts
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leases as Linux has them")


def test_the_system_tells_of_writers_to_files_of_ones_own(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    with photo.open("wb"):
        assert writers_of(photo) is Writers.SOMEBODY
        assert not is_complete(photo, 0)
    assert writers_of(photo) is Writers.NOBODY
    assert is_complete(photo, 3600)
    assert writers_of(tmp_path / "gone.jpg") is Writers.UNKNOWN
    assert not is_complete(tmp_path / "gone.jpg", 1)


def test_asking_is_safe_wherever_it_is_done(tmp_path: Path) -> None:
    """Who opens a file while it is asked breaks a lease: its signal must not end the process."""
    photo = tmp_path / "tom.jpg"
    photo.touch()
    over = threading.Event()

    def open_and_close() -> None:
        while not over.is_set():
            os.close(os.open(photo, os.O_WRONLY))

    writer = threading.Thread(target=open_and_close)
    writer.start()
    try:
        found = {writers_of(photo) for _ in range(2_000)}
    finally:
        over.set()
        writer.join()
    assert found <= {Writers.NOBODY, Writers.SOMEBODY}


def test_a_file_is_still_by_its_ctime_alone(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.touch()
    os.utime(photo, (0, 0))  # what copying programs do, to the mtime
    assert seconds_until_still(photo, 3600) > 3000
    assert seconds_until_still(photo, 0) == 0


@pytest.fixture
def upload(tmp_path: Path, draw: Draw) -> Path:
    """A photo of another user's in an inbox; the system does not say who writes to it."""
    if shutil.which("setpriv") is None or os.getuid() != 0:
        pytest.skip("needs setpriv, and root to give files away")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    draw("cats", 300).save(inbox / "tom.jpg")
    os.chown(inbox / "tom.jpg", UPLOADER, UPLOADER)
    return inbox


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm as a second file system")
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        yield Path(folder)


def without_leases(command: str, model: Path, *arguments: object) -> list[str]:
    """Run catdog as root of a container does: without CAP_LEASE."""
    unprivileged = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
    catdog = [sys.executable, "-m", "catdog", command, "--json", "--model", str(model)]
    return [*unprivileged, *catdog, *map(str, arguments)]


def sort(model: Path, *arguments: object) -> dict[str, tuple[str, str | None]]:
    done = subprocess.run(
        without_leases("sort", model, *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(one["path"]).name: (one["outcome"], one["reason"]) for one in shown}


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_what_the_system_does_not_say_is_not_copied_before_it_was_still_for_long(
    upload: Path, elsewhere: Path, tiny_model: Path, how: str
) -> None:
    """A photo that decodes whole, and more to come: the original must not be removed."""
    options = ["--into", elsewhere, *(["--copy"] if how == "copied" else [])]
    left = {"tom.jpg": ("left", "being-written")}
    assert sort(tiny_model, upload, *options) == left
    assert sort(tiny_model, upload, *options, "--dry-run") == left
    assert (upload / "tom.jpg").exists()
    assert list(elsewhere.rglob("*")) == []
    assert sort(tiny_model, upload, *options, "--still-seconds", "0") == {"tom.jpg": (how, None)}


def test_a_sidecar_that_may_still_grow_keeps_its_photo(
    upload: Path, elsewhere: Path, tiny_model: Path
) -> None:
    os.chown(upload / "tom.jpg", 0, 0)
    (upload / "tom.xmp").write_bytes(b"half")
    os.chown(upload / "tom.xmp", UPLOADER, UPLOADER)
    shown = sort(tiny_model, upload, "--into", elsewhere)
    assert shown["tom.jpg"] == ("left", "being-written")
    assert (upload / "tom.xmp").exists()


def test_a_rename_takes_along_whoever_is_writing(upload: Path, tiny_model: Path) -> None:
    with (upload / "tom.jpg").open("ab") as writing:
        assert sort(tiny_model, upload) == {"tom.jpg": ("moved", None)}
        writing.write(b"a film in the photo")
    assert (upload / "cats" / "tom.jpg").read_bytes().endswith(b"a film in the photo")


@pytest.mark.parametrize("kept", [0, 400])
def test_a_cut_upload_is_not_called_damaged_while_it_may_still_grow(
    upload: Path, tiny_model: Path, kept: int
) -> None:
    os.truncate(upload / "tom.jpg", kept)
    options = (upload, "--others", "move")
    assert sort(tiny_model, *options) == {"tom.jpg": ("left", "being-written")}
    shown = sort(tiny_model, *options, "--still-seconds", "0")
    assert shown["tom.jpg"] == ("moved", "truncated" if kept else "empty")


def test_watch_comes_back_to_a_cut_upload_and_files_it_whole(
    upload: Path, elsewhere: Path, tiny_model: Path, wait_until: Wait
) -> None:
    """Its program pauses for longer than --settle, twice, and closes the file in between."""
    whole = (upload / "tom.jpg").read_bytes()
    os.truncate(upload / "tom.jpg", 400)
    options = ("--into", elsewhere, "--settle", "0.1", "--still-seconds", "8", "--others", "move")
    process = subprocess.Popen(
        without_leases("watch", tiny_model, upload, *options), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        shown = json.loads(process.stdout.readline())
        assert (shown["outcome"], shown["reason"]) == ("left", "being-written")
        (upload / "tom.jpg").write_bytes(whole)
        shown = json.loads(process.stdout.readline())
        assert shown["outcome"] == "moved"
        wait_until((elsewhere / "cats" / "tom.jpg").exists)
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert (elsewhere / "cats" / "tom.jpg").read_bytes() == whole
    assert not (elsewhere / "unreadable").exists()
