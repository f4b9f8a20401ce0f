"""Nothing is filed into the bare folder below a mount point."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.store.database import Store
from sorter.filing.mover import Mover
from sorter.journal.run import Run
from sorter.moving.mounts import Mounts, mounted
from sorter.outcome import FileOutcome, Outcome, Reason
from tests.sorter.groups import group_of

Put = Callable[[Path, bytes], Path]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and mounts as POSIX has them")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mount what is asked for, and unmount it in the end."""
    points: list[Path] = []

    def mount(point: Path, *, bind: Path | None = None) -> None:
        what = ["--bind", str(bind)] if bind else ["-t", "tmpfs", "tmpfs"]
        command = ["mount", *what, str(point)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("file systems cannot be mounted here")
        points.append(point)

    yield mount
    for point in reversed(points):
        subprocess.run(["umount", "--lazy", str(point)], check=False, capture_output=True)


def umount(point: Path) -> None:
    subprocess.run(["umount", str(point)], check=True)


class Scene:
    """A photo, the folder that it goes to, and a mover that has begun."""

    def __init__(self, store: Store, tmp_path: Path, put: Put) -> None:
        self.put = put
        self.inbox = tmp_path / "inbox"
        self.destination = tmp_path / "sorted"
        self.cats = self.destination / "cats"
        self.cats.mkdir(parents=True)
        self.store = store
        self.number = 0
        self.mover: Mover

    def begin(self) -> None:
        self.mover = Mover(Run(self.store, "watch", self.inbox, self.destination), self.destination)

    def place(self, below: str = "") -> FileOutcome:
        self.number += 1
        photo = self.put(self.inbox / f"tom{self.number}.jpg", b"tom")
        ((placed,),) = self.mover.place([group_of(self.mover, photo, self.cats / below)])
        assert photo.exists() == (placed.outcome is not Outcome.MOVED)
        return placed


@pytest.fixture
def scene(store: Store, tmp_path: Path, put: Put) -> Scene:
    return Scene(store, tmp_path, put)


@pytest.mark.parametrize("how", ["a mount", "a bind mount", "a link"])
@pytest.mark.parametrize("below", ["", "2026/11"])
def test_a_class_folder_that_is_unmounted_meanwhile_is_not_filed_into(
    scene: Scene, tmp_path: Path, mount: Callable[..., None], how: str, below: str
) -> None:
    """And filed into again once it is back."""
    disk = tmp_path / "disk"
    disk.mkdir()
    point, bind = scene.cats, disk if how == "a bind mount" else None
    if how == "a link":
        scene.cats.rmdir()
        scene.cats.symlink_to(disk)
        point = disk
    mount(point, bind=bind)
    scene.begin()
    assert scene.place(below).outcome is Outcome.MOVED
    umount(point)
    placed = scene.place(below)
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, Reason.DESTINATION_GONE)
    assert str(point) in (placed.message or "")
    assert list(point.iterdir()) == []
    mount(point, bind=bind)
    assert scene.place(below).outcome is Outcome.MOVED


def test_a_file_system_that_is_mounted_over_it_is_not_it_either(
    scene: Scene, mount: Callable[..., None]
) -> None:
    scene.begin()
    assert scene.place().outcome is Outcome.MOVED
    mount(scene.cats)
    assert scene.place().reason == Reason.DESTINATION_GONE


def test_a_link_that_leads_nowhere_is_said_to(scene: Scene, tmp_path: Path) -> None:
    scene.cats.rmdir()
    scene.cats.symlink_to(tmp_path / "unplugged" / "cats")
    scene.begin()
    placed = scene.place()
    assert placed.reason == Reason.DESTINATION_GONE
    assert f"is a link to {tmp_path / 'unplugged' / 'cats'}, which is not there" in (
        placed.message or ""
    )


def test_folders_that_come_and_go_on_the_same_disk_are_filed_into(scene: Scene) -> None:
    """Undo takes empty ones away, and the person renames them."""
    scene.begin()
    assert scene.place().outcome is Outcome.MOVED
    scene.cats.rename(scene.destination / "old cats")
    assert scene.place().outcome is Outcome.MOVED
    shutil.rmtree(scene.destination)
    assert scene.place("2026/11").outcome is Outcome.MOVED


def test_another_file_system_at_the_same_place_is_not_it(
    scene: Scene, tmp_path: Path, mount: Callable[..., None]
) -> None:
    """Nor is another folder that is bound there."""
    one, other = tmp_path / "one", tmp_path / "other"
    for disk in (one, other):
        disk.mkdir()
        mount(disk)
    mount(scene.cats, bind=one)
    scene.begin()
    assert scene.place().outcome is Outcome.MOVED
    umount(scene.cats)
    mount(scene.cats, bind=other)
    assert scene.place().reason == Reason.DESTINATION_GONE
    umount(scene.cats)
    (one / "below").mkdir()
    mount(scene.cats, bind=one / "below")
    assert scene.place().reason == Reason.DESTINATION_GONE
    umount(scene.cats)
    mount(scene.cats, bind=one)
    assert scene.place().outcome is Outcome.MOVED


def test_a_link_that_led_nowhere_is_filed_through_once_its_disk_is_there(
    scene: Scene, tmp_path: Path, mount: Callable[..., None]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    scene.cats.rmdir()
    scene.cats.symlink_to(disk / "cats")
    scene.begin()
    assert scene.place().reason == Reason.DESTINATION_GONE
    mount(disk)
    (disk / "cats").mkdir()
    assert scene.place().outcome is Outcome.MOVED
    umount(disk)
    disk.joinpath("cats").mkdir()
    assert scene.place().reason == Reason.DESTINATION_GONE


def test_names_with_blanks_are_read(tmp_path: Path, mount: Callable[..., None]) -> None:
    point = tmp_path / "my disk\\n"
    point.mkdir()
    mount(point)
    assert str(point) in mounted()
    assert Mounts(point).trouble(point / "cats") is None
