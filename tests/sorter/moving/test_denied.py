"""What is in the way of a move is named as what it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main

Draw = Callable[..., Any]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts and flags as Linux has")


@pytest.fixture
def card(tmp_path: Path, draw: Draw) -> Iterator[Path]:
    """A card with a photo that is locked against writing."""
    card = tmp_path / "card"
    card.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(card)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    draw("cats", 300).save(card / "tom.jpg")
    subprocess.run(["mount", "-o", "remount,ro", str(card)], check=True)
    yield card
    subprocess.run(["umount", "--lazy", str(card)], check=True)


def sort(model: Path, *arguments: object) -> str:
    options = ["sort", *map(str, arguments), "--model", str(model)]
    return CliRunner().invoke(main, options).stdout


def test_a_locked_card_is_named_with_copy_as_the_way(
    card: Path, tiny_model: Path, tmp_path: Path
) -> None:
    output = sort(tiny_model, card, "--into", tmp_path / "sorted")
    assert "Failed (read-only): " in output
    assert "say --copy" in output
    assert not (tmp_path / "sorted").exists(), "it was not copied for nothing"
    assert "say --copy" in sort(tiny_model, card, "--into", tmp_path / "sorted", "--dry-run")
    sort(tiny_model, card, "--into", tmp_path / "sorted", "--copy")
    assert (tmp_path / "sorted" / "cats" / "tom.jpg").exists()


@pytest.mark.parametrize("what", ["inbox", "inbox/tom.jpg", "sorted/cats"])
def test_what_is_immutable_is_named(
    tmp_path: Path, draw: Draw, tiny_model: Path, what: str
) -> None:
    inbox, into = tmp_path / "inbox", tmp_path / "sorted"
    inbox.mkdir()
    (into / "cats").mkdir(parents=True)
    draw("cats", 300).save(inbox / "tom.jpg")
    locked = tmp_path / what
    lock = ["chattr", "+i", str(locked)]
    if shutil.which("chattr") is None or subprocess.run(lock, capture_output=True).returncode:
        pytest.skip("files cannot be made immutable here")
    try:
        output = sort(tiny_model, inbox, "--into", into)
    finally:
        subprocess.run(["chattr", "-i", str(locked)], check=True)
    assert "Failed (no-permission): " in output
    assert f"{locked} is locked against changes" in output
    assert (inbox / "tom.jpg").exists()


def test_a_sticky_folder_is_named(tmp_path: Path, draw: Draw, tiny_model: Path) -> None:
    """As /tmp is: only its owner may take a file out."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to be another user")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(folder.stat().st_mode | 0o055)
    inbox, into = tmp_path / "inbox", tmp_path / "sorted"
    for folder in (inbox, into, tmp_path / "state"):
        folder.mkdir()
        folder.chmod(0o1777)
    draw("cats", 300).save(inbox / "tom.jpg")
    shutil.copytree(tiny_model, tmp_path / "model")
    command = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", sys.executable]
    command += ["-m", "catdog", "--state-dir", str(tmp_path / "state"), "sort", str(inbox)]
    command += ["--into", str(into), "--model", str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Failed (no-permission): " in done.stdout, done.stderr
    assert "which is sticky" in done.stdout
    assert (inbox / "tom.jpg").exists()
