"""A photo and its sidecars get through together or stay together."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Store
from sorter.filing import mover as mover_module
from sorter.filing.free_names import Conflict
from sorter.filing.move_group import move_group
from sorter.filing.mover import Mover
from sorter.journal.moves import Kind, State
from sorter.journal.run import Run
from sorter.moving import transfer
from sorter.moving.rename import rename_no_replace
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.undoing.history import moves_of
from tests.sorter.groups import group_of

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]
BEFORE = {"tom.jpg": b"tom", "tom.mov": b"film", "tom.xmp": b"notes"}


class Scene:
    """A photo with two sidecars, and a run of its own."""

    def __init__(self, store: Store, folder: Path, put: Put) -> None:
        self.store = store
        self.folder = folder
        for name, content in BEFORE.items():
            put(folder / name, content)
        self.run = Run(store, "sort", folder, folder)

    def place(self, **options: Any) -> list[FileOutcome]:
        mover = Mover(self.run, self.folder, **options)
        photo, *sidecars = (self.folder / name for name in BEFORE)
        (placed,) = mover.place([group_of(mover, photo, self.folder / "cats", *sidecars)])
        self.run.end()
        return placed

    @property
    def states(self) -> list[State]:
        return [move.state for move in moves_of(self.store, self.run.id)]


@pytest.fixture
def scene(store: Store, tmp_path: Path, put: Put) -> Scene:
    return Scene(store, tmp_path, put)


def failing(what: str, number: int, *, forever: bool = False) -> Callable[..., None]:
    """Move files, but fail for those whose new name ends so; from then on always if `forever`."""
    real = rename_no_replace
    broken = False

    def rename(source: Path, destination: Path) -> None:
        nonlocal broken
        if destination.name.endswith(what) or broken:
            broken = forever
            raise OSError(number, os.strerror(number))
        real(source, destination)

    return rename


@pytest.mark.parametrize("copy", [False, True])
def test_if_one_cannot_go_all_stay(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch, copy: bool
) -> None:
    monkeypatch.setattr(transfer, "rename_no_replace", failing("tom.xmp", errno.EIO))
    (placed,) = scene.place(copy=copy)
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, Reason.IO_ERROR)
    assert tree(scene.folder) == BEFORE
    assert scene.states == [State.FAILED] * 3


def test_if_they_cannot_come_back_either_the_journal_says_where_each_is(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that fails for good in the middle."""
    rename = failing("tom.xmp", errno.EIO, forever=True)
    monkeypatch.setattr(transfer, "rename_no_replace", rename)
    (placed,) = scene.place()
    assert placed.outcome is Outcome.FAILED
    assert set(tree(scene.folder)) == {"cats/tom.jpg", "cats/tom.mov", "tom.xmp"}
    assert scene.states == [State.DONE, State.DONE, State.FAILED]
    assert "could not be taken back" in caplog.text


def taking(name: Path, content: bytes, times: int = 1) -> Callable[..., None]:
    """Carry out moves, but have another program take a name right before."""
    left = times

    def take_and_carry_out(run: Run, group: Any, still_seconds: float) -> None:
        nonlocal left
        if left:
            left -= 1
            name.parent.mkdir(exist_ok=True)
            name.write_bytes(content)
        move_group(run, group, still_seconds)

    return take_and_carry_out


@pytest.mark.parametrize("taken", ["tom.jpg", "tom.xmp"])
def test_a_name_that_is_taken_at_the_last_moment_gives_all_another_number(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    name = scene.folder / "cats" / taken
    monkeypatch.setattr(mover_module, "move_group", taking(name, b"another's"))
    placed = scene.place()
    assert [one.outcome for one in placed] == [Outcome.MOVED] * 3
    assert tree(scene.folder) == {
        f"cats/{taken}": b"another's",
        "cats/tom (1).jpg": b"tom",
        "cats/tom (1).mov": b"film",
        "cats/tom (1).xmp": b"notes",
    }
    assert scene.states == [State.DONE] * 3
    moved = [move.destination.name for move in moves_of(scene.store, scene.run.id)]
    assert moved == ["tom (1).jpg", "tom (1).mov", "tom (1).xmp"]


def test_or_leaves_them_if_that_is_asked_for_or_it_is_the_same_photo(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = scene.folder / "cats" / "tom.jpg"
    monkeypatch.setattr(mover_module, "move_group", taking(name, b"another's"))
    (placed,) = scene.place(on_conflict=Conflict.SKIP)
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CONFLICT)
    assert tree(scene.folder) == {**BEFORE, "cats/tom.jpg": b"another's"}
    name.unlink()
    monkeypatch.setattr(mover_module, "move_group", taking(name, b"tom"))
    scene.run = Run(scene.store, "sort", scene.folder, scene.folder)
    (placed,) = scene.place()
    assert (placed.outcome, placed.destination) == (Outcome.DUPLICATE, name)
    assert scene.states == [State.FAILED] * 3


def test_a_file_system_that_calls_every_name_taken_does_not_go_on_for_ever(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "rename_no_replace", failing("", errno.EEXIST))
    (placed,) = scene.place()
    assert placed.outcome is Outcome.FAILED
    assert tree(scene.folder) == BEFORE


def test_a_photo_that_is_gone_at_the_last_moment_fails_and_the_rest_stays(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(run: Run, group: Any, still_seconds: float) -> None:
        (scene.folder / "tom.jpg").unlink()
        move_group(run, group, still_seconds)

    monkeypatch.setattr(mover_module, "move_group", gone)
    (placed,) = scene.place()
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CHANGED)
    assert set(tree(scene.folder)) == {"tom.mov", "tom.xmp"}


def test_a_folder_that_undo_takes_away_just_now_is_made_again(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transfer.move
    removed: list[Path] = []

    def move(source: Path, destination: Path, *rest: Any, **named: Any) -> None:
        if not removed:
            destination.parent.rmdir()
            removed.append(destination.parent)
        real(source, destination, *rest, **named)

    monkeypatch.setattr(transfer, "move", move)
    assert [one.outcome for one in scene.place()] == [Outcome.MOVED] * 3
    assert set(tree(scene.folder)) == {"cats/tom.jpg", "cats/tom.mov", "cats/tom.xmp"}


def test_what_was_planned_and_not_asked_for_any_more_stays(
    store: Store, tmp_path: Path, put: Put, tree: Tree
) -> None:
    """SIGTERM after the first of a batch: the others are not moved, and the journal says so."""
    run = Run(store, "sort", tmp_path, tmp_path)
    mover = Mover(run, tmp_path)
    photos = [put(tmp_path / name, name.encode()) for name in ("a.jpg", "b.jpg", "c.jpg")]
    places = mover.place([group_of(mover, photo, tmp_path / "cats") for photo in photos])
    next(places)
    places.close()
    run.end()
    assert set(tree(tmp_path)) == {"cats/a.jpg", "b.jpg", "c.jpg"}
    moves = list(moves_of(store, run.id))
    assert [move.state for move in moves] == [State.DONE, State.FAILED, State.FAILED]
    assert [move.reason for move in moves] == [None, "interrupted", "interrupted"]
    assert {move.kind for move in moves} == {Kind.MOVE}


def test_a_sidecar_that_may_not_go_is_named(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's, in a sticky folder, say: the photo's own name would not help."""
    real = rename_no_replace

    def rename(source: Path, destination: Path) -> None:
        if source.name == "tom.xmp":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(source))
        real(source, destination)

    monkeypatch.setattr(transfer, "rename_no_replace", rename)
    (placed,) = scene.place()
    assert placed.reason == Reason.NO_PERMISSION
    assert "tom.xmp, which belongs to it, cannot be put into" in (placed.message or "")
    assert tree(scene.folder) == BEFORE


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG])
def test_a_name_that_the_file_system_cannot_hold_is_named_as_that(
    scene: Scene, tree: Tree, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A colon on exFAT, 143 letters on eCryptfs, bytes that are no UTF-8 on a Mac's disk."""
    monkeypatch.setattr(transfer, "rename_no_replace", failing("tom.jpg", number))
    (placed,) = scene.place()
    assert placed.reason == Reason.NAME_REFUSED
    assert "cannot hold the name: rename the photo" in (placed.message or "")
    assert tree(scene.folder) == BEFORE


@pytest.mark.parametrize("how", ["stays behind", "gets there"])
def test_the_same_photo_twice_is_a_duplicate_only_if_the_first_gets_there(
    store: Store, tmp_path: Path, put: Put, tree: Tree, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    real, run = rename_no_replace, Run(store, "sort", tmp_path, tmp_path)

    def rename(source: Path, destination: Path) -> None:
        if how == "stays behind" and source.parent.name == "a":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(source))
        real(source, destination)

    monkeypatch.setattr(transfer, "rename_no_replace", rename)
    mover = Mover(run, tmp_path)
    photos = [put(tmp_path / folder / "tom.jpg", b"tom") for folder in ("a", "b")]
    groups = [group_of(mover, photo, tmp_path / "cats") for photo in photos]
    outcomes = [placed[0].outcome for placed in mover.place(groups)]
    run.end()
    if how == "stays behind":
        assert outcomes == [Outcome.FAILED, Outcome.MOVED]
        assert tree(tmp_path) == {"a/tom.jpg": b"tom", "cats/tom.jpg": b"tom"}
    else:
        assert outcomes == [Outcome.MOVED, Outcome.DUPLICATE]
        assert tree(tmp_path) == {"b/tom.jpg": b"tom", "cats/tom.jpg": b"tom"}
