"""Whatever a killed run left half done is known by the files, and finished or taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.store.database import Store
from sorter.identity import FileIdentity
from sorter.journal.moves import Kind, PlannedMove, State
from sorter.journal.run import Run, temporary_name
from sorter.undoing.history import moves_of
from sorter.undoing.recovery import Recovered, recover

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


class Killed:
    """A run that has planned to move a photo and its sidecar, and whose process is gone."""

    def __init__(self, store: Store, folder: Path, put: Put, kind: Kind = Kind.MOVE) -> None:
        self.store = store
        self.folder = folder
        self.put = put
        self.inbox, self.cats = folder / "inbox", folder / "cats"
        self.cats.mkdir(exist_ok=True)
        self.photo = put(self.inbox / "tom.jpg", b"tom")
        self.sidecar = put(self.inbox / "tom.xmp", b"about tom")
        self.run = Run(store, "sort", self.inbox, folder)
        (self.moves,) = self.run.plan(
            [[self.move(self.photo, kind), self.move(self.sidecar, kind)]]
        )
        self.run._lock.release()

    def move(self, source: Path, kind: Kind) -> PlannedMove:
        identity = FileIdentity.of(source)
        assert identity is not None
        return PlannedMove(kind, source, self.cats / source.name, identity, is_photo=True)

    def recover(self) -> Recovered:
        (recovered,) = recover(self.store)
        assert recover(self.store) == []
        return recovered

    @property
    def states(self) -> list[State]:
        return [move.state for move in moves_of(self.store, self.run.id)]


@pytest.fixture
def killed(store: Store, tmp_path: Path, put: Put) -> Killed:
    return Killed(store, tmp_path, put)


IN_PLACE = {"cats/tom.jpg": b"tom", "cats/tom.xmp": b"about tom"}
AT_HOME = {"inbox/tom.jpg": b"tom", "inbox/tom.xmp": b"about tom"}


def test_before_the_first_move_nothing_is_done(killed: Killed, tree: Tree) -> None:
    recovered = killed.recover()
    assert (recovered.finished, recovered.taken_back, recovered.waiting) == (0, 2, 0)
    assert tree(killed.folder) == AT_HOME
    assert killed.states == [State.FAILED, State.FAILED]


def test_after_the_photo_its_sidecar_follows(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    recovered = killed.recover()
    assert (recovered.finished, recovered.taken_back) == (2, 0)
    assert tree(killed.folder) == IN_PLACE
    assert killed.states == [State.DONE, State.DONE]


def test_after_both_only_the_journal_is_behind(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    killed.sidecar.rename(killed.cats / "tom.xmp")
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


@pytest.mark.parametrize("how", ["link", "copy"])
def test_between_the_new_name_and_the_end_of_the_old_one(
    killed: Killed, tree: Tree, how: str
) -> None:
    """Linked or copied in full, and not yet removed: then it is one file at two places."""
    if how == "copy":
        killed.run.will_copy()
    (os.link if how == "link" else shutil.copy2)(killed.photo, killed.cats / "tom.jpg")
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


def test_a_copy_that_the_person_made_is_not_taken_for_catdogs(killed: Killed, tree: Tree) -> None:
    """On one file system catdog renames: then there are never two files."""
    shutil.copy2(killed.photo, killed.cats / "tom.jpg")
    assert killed.recover().taken_back == 2
    assert tree(killed.folder) == {**AT_HOME, "cats/tom.jpg": b"tom"}


def test_a_half_copy_is_removed(killed: Killed, tree: Tree) -> None:
    half = temporary_name(killed.cats / "tom.jpg", killed.run.token, killed.moves[0].id)
    half.write_bytes(b"to")
    assert killed.recover().taken_back == 2
    assert tree(killed.folder) == AT_HOME


def test_a_name_that_was_only_claimed_is_given_up(killed: Killed, tree: Tree) -> None:
    (killed.cats / "tom.jpg").touch()
    assert killed.recover().taken_back == 2
    assert tree(killed.folder) == AT_HOME


def test_a_name_that_was_only_claimed_for_a_sidecar_is_no_hindrance(
    killed: Killed, tree: Tree
) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    (killed.cats / "tom.xmp").touch()
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


def test_a_file_of_the_persons_at_the_destination_is_left_alone(killed: Killed, tree: Tree) -> None:
    killed.put(killed.cats / "tom.jpg", b"jim")  # as old and as large
    assert killed.recover().taken_back == 2
    assert tree(killed.folder) == {**AT_HOME, "cats/tom.jpg": b"jim"}


def test_a_new_file_at_the_old_place_is_left_alone(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    killed.put(killed.photo, b"another one")
    assert killed.recover().finished == 2
    assert tree(killed.folder) == {**IN_PLACE, "inbox/tom.jpg": b"another one"}


def test_a_sidecar_that_cannot_follow_is_said_to_have_stayed(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    killed.put(killed.cats / "tom.xmp", b"another's")
    recovered = killed.recover()
    assert (recovered.finished, recovered.taken_back) == (1, 1)
    assert tree(killed.folder)["inbox/tom.xmp"] == b"about tom"


def test_a_rollback_that_was_broken_off_goes_on(killed: Killed, tree: Tree) -> None:
    """The sidecar is moved after the photo and taken back before it."""
    killed.sidecar.rename(killed.cats / "tom.xmp")
    assert killed.recover().taken_back == 2
    assert tree(killed.folder) == AT_HOME


def test_a_copy_is_finished_or_not_and_the_original_stays(
    store: Store, tmp_path: Path, put: Put, tree: Tree
) -> None:
    killed = Killed(store, tmp_path, put, Kind.COPY)
    shutil.copy2(killed.photo, killed.cats / "tom.jpg")
    assert killed.recover().finished == 2
    assert tree(tmp_path) == {**AT_HOME, **IN_PLACE}


def test_a_run_that_is_alive_is_not_touched(store: Store, tmp_path: Path, put: Put) -> None:
    killed = Killed(store, tmp_path, put)
    assert killed.run._lock.acquire()
    assert recover(store) == []
    assert killed.states == [State.PLANNED, State.PLANNED]
    killed.run._lock.release()
    assert len(recover(store)) == 1


def test_only_runs_of_the_folders_that_are_asked_for(killed: Killed, tmp_path: Path) -> None:
    assert recover(killed.store, [tmp_path / "elsewhere"]) == []
    assert recover(killed.store, [killed.inbox, tmp_path / "elsewhere"]) != []


def test_what_is_on_a_disk_that_is_gone_waits_for_it(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    killed.inbox.rename(killed.folder / "unplugged")
    (recovered,) = recover(killed.store)
    assert recovered.waiting == 2
    assert "wait for their disk" in recovered.line()
    assert killed.states == [State.PLANNED, State.PLANNED]
    (killed.folder / "unplugged").rename(killed.inbox)
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


def test_what_another_run_has_in_hand_is_left_to_it(
    store: Store, tmp_path: Path, put: Put, tree: Tree
) -> None:
    """A live run has copied the photo and is about to remove the original: it does that itself."""
    killed = Killed(store, tmp_path, put)
    killed.run._copies = False
    killed.run.will_copy()
    other = Run(store, "watch", killed.inbox, tmp_path)
    group = [killed.move(killed.photo, Kind.MOVE), killed.move(killed.sidecar, Kind.MOVE)]
    other.plan([group])
    other.will_copy()
    shutil.copy2(killed.photo, killed.cats / "tom.jpg")
    recover(store)
    assert tree(tmp_path) == {**AT_HOME, "cats/tom.jpg": b"tom"}
    killed.photo.unlink()
    killed.sidecar.rename(killed.cats / "tom.xmp")
    recover(store)
    assert tree(tmp_path) == IN_PLACE
    other.end()


def test_a_destination_on_a_disk_that_is_gone_is_waited_for(killed: Killed, tree: Tree) -> None:
    killed.photo.rename(killed.cats / "tom.jpg")
    killed.cats.rename(killed.folder / "unplugged")
    (recovered,) = recover(killed.store)
    assert recovered.waiting == 2
    (killed.folder / "unplugged").rename(killed.cats)
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


def test_devices_have_other_numbers_after_a_restart(killed: Killed, tree: Tree) -> None:
    with killed.store.writing() as db:
        db.execute("UPDATE moves SET dev = '987654321'")
    killed.photo.rename(killed.cats / "tom.jpg")
    assert killed.recover().finished == 2
    assert tree(killed.folder) == IN_PLACE


def test_a_photo_that_two_runs_were_after_is_one_runs(
    store: Store, tmp_path: Path, put: Put, tree: Tree
) -> None:
    """One has moved it and is alive; the other planned the same and was killed."""
    killed = Killed(store, tmp_path, put)
    other = Run(store, "watch", killed.inbox, tmp_path)
    (moves,) = other.plan([[killed.move(killed.photo, Kind.MOVE)]])
    killed.photo.rename(killed.cats / "tom.jpg")
    other.done(moves[0], FileIdentity.of(killed.cats / "tom.jpg"))
    other.end()
    recover(store)
    assert killed.states[0] is State.FAILED
    assert [move.state for move in moves_of(store, other.id)] == [State.DONE]
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom", "inbox/tom.xmp": b"about tom"}


@pytest.fixture
def on_fat(killed: Killed) -> Killed:
    """A disk that gives new inode numbers at each mount, and keeps times of two seconds."""
    killed.run.will_copy()
    shutil.copy2(killed.photo, killed.cats / "tom.jpg")
    with killed.store.writing() as db:
        db.execute("UPDATE moves SET ino = '987654321', dev = '1'")
    seconds = killed.photo.stat().st_mtime_ns // (2 * 10**9) * 2
    for path in (killed.photo, killed.sidecar):
        os.utime(path, (seconds, seconds))
    return killed


def test_a_copy_is_finished_where_inodes_have_new_numbers(on_fat: Killed, tree: Tree) -> None:
    """Killed before the original was removed, and the card mounted anew: not twice there."""
    assert on_fat.recover().finished == 2
    assert tree(on_fat.folder) == IN_PLACE


def test_another_photo_as_large_and_as_old_is_left_there(on_fat: Killed, tree: Tree) -> None:
    seconds = on_fat.photo.stat().st_mtime
    on_fat.photo.write_bytes(b"jim")
    os.utime(on_fat.photo, (seconds, seconds))
    on_fat.recover()
    files = tree(on_fat.folder)
    assert (files["inbox/tom.jpg"], files["cats/tom.jpg"]) == (b"jim", b"tom")
    assert {move.reason for move in moves_of(on_fat.store, on_fat.run.id)} >= {"place-taken"}


def test_two_paths_of_one_file_are_not_taken_for_two_files(
    on_fat: Killed, tree: Tree, tmp_path: Path
) -> None:
    """By a bind mount: to remove the "original" would be to remove the photo."""
    on_fat.photo.unlink()
    shutil.move(on_fat.cats / "tom.jpg", on_fat.inbox)
    command = ["mount", "--bind", str(on_fat.inbox), str(on_fat.cats)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("bind mounts cannot be made here")
    try:
        on_fat.recover()
        assert tree(on_fat.inbox) == {"tom.jpg": b"tom", "tom.xmp": b"about tom"}
        assert on_fat.states[0] is State.FAILED
    finally:
        subprocess.run(["umount", str(on_fat.cats)], check=True)


def test_a_kill_while_it_is_proved_loses_nothing(on_fat: Killed, tree: Tree) -> None:
    """The copy is under its other name, and may be all there is."""
    aside = f".catdog-{on_fat.run.token[:12]}-{on_fat.moves[0].id}.aside"
    (on_fat.cats / "tom.jpg").rename(on_fat.cats / aside)
    on_fat.photo.unlink()
    assert on_fat.recover().finished == 2
    assert tree(on_fat.folder) == IN_PLACE
