"""Photos get their places, and none is ever overwritten, doubled or lost."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Store
from sorter.filing.free_names import Conflict, numbered
from sorter.filing.mover import Mover
from sorter.identity import FileIdentity
from sorter.journal.moves import Kind, PlannedMove
from sorter.journal.run import Run
from sorter.moving import transfer as transfer_module
from sorter.moving.rename import rename_no_replace
from sorter.outcome import FileOutcome, Outcome, Reason
from tests.sorter.groups import group_of

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def mover(store: Store, tmp_path: Path) -> Callable[..., Mover]:
    """Make a mover with a run of its own."""

    def make(*, dry_run: bool = False, **options: Any) -> Mover:
        run = None if dry_run else Run(store, "sort", tmp_path, tmp_path)
        return Mover(run, tmp_path, **options)

    return make


def across(one: Path, other: Path) -> None:
    """Rename as if each folder were a file system of its own."""
    if one.parent != other.parent:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    rename_no_replace(one, other)


def place(mover: Mover, source: Path, folder: Path, *sidecars: Path) -> FileOutcome:
    ((photo, *_),) = mover.place([group_of(mover, source, folder, *sidecars)])
    return photo


def test_a_photo_is_moved_with_its_time(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    before = source.stat()
    placed = place(mover(), source, tmp_path / "cats")
    assert (placed.outcome, placed.destination) == (Outcome.MOVED, tmp_path / "cats" / "tom.jpg")
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom"}
    assert (tmp_path / "cats" / "tom.jpg").stat().st_mtime_ns == before.st_mtime_ns


def test_another_photo_of_that_name_is_never_overwritten(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    put(tmp_path / "cats" / "tom.jpg", b"first")
    for number, content in enumerate((b"second", b"third"), 1):
        source = put(inbox / "tom.jpg", content)
        placed = place(mover(), source, tmp_path / "cats")
        assert placed.destination == tmp_path / "cats" / f"tom ({number}).jpg"
    assert tree(tmp_path) == {
        "cats/tom.jpg": b"first",
        "cats/tom (1).jpg": b"second",
        "cats/tom (2).jpg": b"third",
    }


def test_the_same_photo_under_that_name_is_a_duplicate_and_stays(
    mover: Callable[..., Mover], put: Put, inbox: Path, tmp_path: Path
) -> None:
    put(tmp_path / "cats" / "tom.jpg", b"first")
    put(tmp_path / "cats" / "tom (1).jpg", b"second")
    source = put(inbox / "tom.jpg", b"second")
    placed = place(mover(), source, tmp_path / "cats")
    assert (placed.outcome, placed.destination) == (
        Outcome.DUPLICATE,
        tmp_path / "cats" / "tom (1).jpg",
    )
    assert source.read_bytes() == b"second"


def test_a_copy_leaves_the_original(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    source = put(inbox / "tom.jpg", b"tom" * 1_000_000)
    source.chmod(0o640)
    placed = place(mover(copy=True), source, tmp_path / "cats")
    copied = tmp_path / "cats" / "tom.jpg"
    assert (placed.outcome, placed.destination) == (Outcome.COPIED, copied)
    assert tree(tmp_path) == dict.fromkeys(("inbox/tom.jpg", "cats/tom.jpg"), b"tom" * 1_000_000)
    assert copied.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert copied.stat().st_mode == source.stat().st_mode
    assert place(mover(copy=True), source, tmp_path / "cats").outcome is Outcome.DUPLICATE


def test_a_dry_run_makes_nothing_and_promises_each_name_once(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    one, two = put(inbox / "a" / "tom.jpg", b"one"), put(inbox / "b" / "tom.jpg", b"two")
    same = put(inbox / "c" / "tom.jpg", b"one")
    before = tree(tmp_path)
    dry = mover(dry_run=True)
    placed = [place(dry, photo, tmp_path / "cats") for photo in (one, two, same)]
    assert [p.outcome for p in placed] == [
        Outcome.WOULD_MOVE, Outcome.WOULD_MOVE, Outcome.DUPLICATE,
    ]  # fmt: skip
    assert placed[1].destination == tmp_path / "cats" / "tom (1).jpg"
    assert tree(tmp_path) == before
    assert not (tmp_path / "cats").exists()
    copying = mover(copy=True, dry_run=True)
    assert place(copying, one, tmp_path / "cats").outcome is Outcome.WOULD_COPY


def test_a_photo_that_changed_since_it_was_read_stays(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    group = group_of(mover(), source, tmp_path / "cats")
    source.write_bytes(b"not tom any more")
    ((placed,),) = mover().place([group])
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CHANGED)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"not tom any more"}


def test_a_photo_that_changes_while_it_is_copied_is_not_filed_half(
    mover: Callable[..., Mover],
    put: Put,
    tree: Tree,
    inbox: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    copy = shutil.copyfileobj

    def copy_and_change(reading: Any, writing: Any, length: int) -> None:
        copy(reading, writing, length)
        source.write_bytes(b"not tom any more")

    monkeypatch.setattr(shutil, "copyfileobj", copy_and_change)
    placed = place(mover(copy=True), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CHANGED)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"not tom any more"}


def raising(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_to_another_file_system_it_is_copied_and_then_removed(
    mover: Callable[..., Mover],
    put: Put,
    tree: Tree,
    inbox: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system says EXDEV for the first rename, the one across file systems."""
    source = put(inbox / "tom.jpg", b"tom")
    mtime = source.stat().st_mtime_ns

    monkeypatch.setattr(transfer_module, "rename_no_replace", across)
    assert place(mover(), source, tmp_path / "cats").outcome is Outcome.MOVED
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom"}
    assert (tmp_path / "cats" / "tom.jpg").stat().st_mtime_ns == mtime
    other = put(inbox / "tom.jpg", b"another tom")
    assert place(mover(), other, tmp_path / "cats").outcome is Outcome.MOVED
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom", "cats/tom (1).jpg": b"another tom"}


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_to_a_real_other_file_system(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == inbox.stat().st_dev:
            pytest.skip("/dev/shm is the same file system")
        source = put(inbox / "tom.jpg", b"tom" * 100_000)
        assert place(mover(), source, Path(other) / "cats").outcome is Outcome.MOVED
        assert tree(Path(other)) == {"cats/tom.jpg": b"tom" * 100_000}
        assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, Reason.DISK_FULL),
        (errno.EACCES, Reason.NO_PERMISSION),
        (errno.EROFS, Reason.NO_PERMISSION),
        (errno.ENOENT, Reason.VANISHED),
        (errno.EIO, Reason.IO_ERROR),
    ],
)
@pytest.mark.parametrize("copy", [False, True])
def test_what_the_system_refuses_is_said_and_the_photo_stays(
    mover: Callable[..., Mover],
    put: Put,
    tree: Tree,
    inbox: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    reason: Reason,
    copy: bool,
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    if copy:
        monkeypatch.setattr(os, "fsync", raising(number))
    else:
        monkeypatch.setattr(transfer_module, "rename_no_replace", raising(number))
    placed = place(mover(copy=copy), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, reason)
    assert placed.message is not None
    assert "tom.jpg" in placed.message
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom"}


def test_a_file_in_the_class_folders_place_fails_and_nothing_is_lost(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, tmp_path: Path
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    put(tmp_path / "cats", b"a file called cats")
    assert place(mover(), source, tmp_path / "cats").outcome is Outcome.FAILED
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom", "cats": b"a file called cats"}


def numbered_names(number: int, *names: str) -> list[str]:
    identity = FileIdentity(1, 1, 1, 1)
    group = [PlannedMove(Kind.MOVE, Path(name), Path("cats", name), identity) for name in names]
    return [move.destination.name for move in numbered(group, number)]


def test_long_names_keep_their_suffix_within_255_bytes() -> None:
    assert numbered_names(0, "tom.jpg") == ["tom.jpg"]
    assert numbered_names(2, "tom.jpg", "TOM.XMP", "tom.jpg.xmp") == [
        "tom (2).jpg", "TOM (2).XMP", "tom (2).jpg.xmp",
    ]  # fmt: skip
    long = "ü" * 122 + ".jpeg"
    photo, sidecar = numbered_names(1, long, long + ".xmp")
    assert photo.endswith("ü (1).jpeg")
    assert sidecar == photo + ".xmp"
    assert len(os.fsencode(sidecar)) <= 255


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("leads_to", ["inbox/tom.jpg", "nowhere"])
def test_a_link_in_the_class_folder_is_never_a_duplicate(
    mover: Callable[..., Mover], put: Put, inbox: Path, tmp_path: Path, leads_to: str
) -> None:
    """It may lead to the photo itself: whoever then deleted the \"duplicate\" would lose it."""
    source = put(inbox / "tom.jpg", b"tom")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "tom.jpg").symlink_to(tmp_path / leads_to)
    placed = place(mover(), source, tmp_path / "cats")
    assert (placed.outcome, placed.destination) == (
        Outcome.MOVED,
        tmp_path / "cats" / "tom (1).jpg",
    )
    assert (tmp_path / "cats" / "tom (1).jpg").read_bytes() == b"tom"


@pytest.mark.parametrize("copy", [False, True])
def test_a_photo_is_no_duplicate_of_itself(
    mover: Callable[..., Mover], put: Put, tree: Tree, inbox: Path, copy: bool
) -> None:
    """Sorted into the folder where it is: whoever deleted the "duplicate" would lose it."""
    source = put(inbox / "tom.jpg", b"tom")
    for folder in (inbox, inbox.parent / "inbox" / ".." / "inbox"):
        placed = place(mover(copy=copy), source, folder)
        assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.IN_PLACE)
    assert tree(inbox) == {"tom.jpg": b"tom"}


def test_a_photo_that_cannot_leave_its_disk_is_not_doubled(
    mover: Callable[..., Mover],
    put: Put,
    tree: Tree,
    inbox: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a locked card: the copy succeeds, removing the original does not."""
    source = put(inbox / "tom.jpg", b"tom")
    unlink = Path.unlink

    def locked(self: Path, missing_ok: bool = False) -> None:
        if self == source:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(transfer_module, "rename_no_replace", across)
    monkeypatch.setattr(Path, "unlink", locked)
    placed = place(mover(), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, Reason.NO_PERMISSION)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom"}


def test_contents_are_compared_anew_each_time(
    mover: Callable[..., Mover], put: Put, inbox: Path, tmp_path: Path
) -> None:
    """Two photos of one name, size and time, one after the other."""
    put(tmp_path / "cats" / "tom.jpg", b"tom")
    source = put(inbox / "tom.jpg", b"tom")
    assert place(mover(), source, tmp_path / "cats").outcome is Outcome.DUPLICATE
    put(source, b"jim")
    assert place(mover(), source, tmp_path / "cats").outcome is Outcome.MOVED


@pytest.mark.parametrize("where", ["same", "other"])
def test_a_copy_has_the_times_permissions_and_extended_attributes(
    inbox: Path, tmp_path: Path, mover: Callable[..., Mover], put: Put, where: str
) -> None:
    """Tags that file managers keep, where a file came from: lost by many a copy."""
    source = put(inbox / "tom.jpg", b"tom")
    folder = tmp_path / "cats"
    if where == "other":
        if not Path("/dev/shm").is_dir():
            pytest.skip("needs a second file system")
        folder = Path(tempfile.mkdtemp(dir="/dev/shm")) / "cats"
    folder.mkdir()
    try:
        probe = put(folder / "probe", b"")
        os.setxattr(probe, "user.xdg.tags", b"test")
        probe.unlink()
        os.setxattr(source, "user.xdg.tags", b"cats,mine")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    source.chmod(0o604)
    before = source.stat()
    assert place(mover(copy=where == "same"), source, folder).destination == folder / "tom.jpg"
    after = (folder / "tom.jpg").stat()
    assert os.getxattr(folder / "tom.jpg", "user.xdg.tags") == b"cats,mine"
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    if where == "other":
        shutil.rmtree(folder.parent)


def test_a_copy_is_kept_if_the_original_is_gone_by_then(
    inbox: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mover: Callable[..., Mover],
    put: Put,
    tree: Tree,
) -> None:
    """Somebody else removes it between the copy and the removal: the copy is all there is."""
    source = put(inbox / "tom.jpg", b"tom")

    def across_and_gone(one: Path, other: Path) -> None:
        across(one, other)
        source.unlink()

    monkeypatch.setattr(transfer_module, "rename_no_replace", across_and_gone)
    assert place(mover(), source, tmp_path / "cats").outcome is Outcome.MOVED
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom"}


def test_a_photo_whose_sidecars_name_is_taken_stays_if_that_is_asked_for(
    inbox: Path, tmp_path: Path, mover: Callable[..., Mover], put: Put, tree: Tree
) -> None:
    photo, sidecar = put(inbox / "tom.jpg", b"tom"), put(inbox / "tom.xmp", b"notes")
    put(tmp_path / "cats" / "tom.xmp", b"another's")
    placed = place(mover(on_conflict=Conflict.SKIP), photo, tmp_path / "cats", sidecar)
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CONFLICT)
    assert len(tree(inbox)) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="leases as Linux has them")
@pytest.mark.parametrize("copy", [False, True])
def test_a_photo_that_a_program_writes_to_stays(
    inbox: Path, tmp_path: Path, mover: Callable[..., Mover], put: Put, tree: Tree, copy: bool
) -> None:
    """What it writes later would be lost with the original."""
    source = put(inbox / "tom.jpg", b"tom")
    with source.open("ab") as writing:
        placed = place(mover(copy=copy), source, tmp_path / "cats")
        assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.BEING_WRITTEN)
        writing.close()
        assert place(mover(copy=copy), source, tmp_path / "cats").reason is None
