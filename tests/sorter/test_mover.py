"""Photos get their places, and none is ever overwritten, doubled or lost."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sorter import mover as mover_module
from sorter import rename as rename_module
from sorter.identity import FileIdentity
from sorter.mover import Mover, Placed, numbered
from sorter.outcome import Outcome, Reason
from sorter.rename import rename_no_replace


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(1_600_000_000_123_456_700, 1_600_000_000_123_456_700))
    return path


def place(mover: Mover, source: Path, folder: Path) -> Placed:
    looked_at = FileIdentity.of(source)
    assert looked_at is not None
    return mover.place(source, folder, looked_at)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_photo_is_moved_with_its_time(inbox: Path, tmp_path: Path) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    before = source.stat()
    placed = place(Mover(), source, tmp_path / "cats")
    assert placed == Placed(Outcome.MOVED, tmp_path / "cats" / "tom.jpg")
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom"}
    assert (tmp_path / "cats" / "tom.jpg").stat().st_mtime_ns == before.st_mtime_ns


def test_another_photo_of_that_name_is_never_overwritten(inbox: Path, tmp_path: Path) -> None:
    put(tmp_path / "cats" / "tom.jpg", b"first")
    for number, content in enumerate((b"second", b"third"), 1):
        source = put(inbox / "tom.jpg", content)
        placed = place(Mover(), source, tmp_path / "cats")
        assert placed.destination == tmp_path / "cats" / f"tom ({number}).jpg"
    assert tree(tmp_path) == {
        "cats/tom.jpg": b"first",
        "cats/tom (1).jpg": b"second",
        "cats/tom (2).jpg": b"third",
    }


def test_the_same_photo_under_that_name_is_a_duplicate_and_stays(
    inbox: Path, tmp_path: Path
) -> None:
    put(tmp_path / "cats" / "tom.jpg", b"first")
    put(tmp_path / "cats" / "tom (1).jpg", b"second")
    source = put(inbox / "tom.jpg", b"second")
    placed = place(Mover(), source, tmp_path / "cats")
    assert placed == Placed(Outcome.DUPLICATE, tmp_path / "cats" / "tom (1).jpg")
    assert source.read_bytes() == b"second"


def test_a_copy_leaves_the_original(inbox: Path, tmp_path: Path) -> None:
    source = put(inbox / "tom.jpg", b"tom" * 1_000_000)
    source.chmod(0o640)
    placed = place(Mover(copy=True), source, tmp_path / "cats")
    copied = tmp_path / "cats" / "tom.jpg"
    assert placed == Placed(Outcome.COPIED, copied)
    assert tree(tmp_path) == dict.fromkeys(("inbox/tom.jpg", "cats/tom.jpg"), b"tom" * 1_000_000)
    assert copied.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert copied.stat().st_mode == source.stat().st_mode
    assert place(Mover(copy=True), source, tmp_path / "cats").outcome is Outcome.DUPLICATE


def test_a_dry_run_makes_nothing_and_promises_each_name_once(inbox: Path, tmp_path: Path) -> None:
    one, two = put(inbox / "a" / "tom.jpg", b"one"), put(inbox / "b" / "tom.jpg", b"two")
    same = put(inbox / "c" / "tom.jpg", b"one")
    before = tree(tmp_path)
    mover = Mover(dry_run=True)
    placed = [place(mover, photo, tmp_path / "cats") for photo in (one, two, same)]
    assert [p.outcome for p in placed] == [
        Outcome.WOULD_MOVE, Outcome.WOULD_MOVE, Outcome.DUPLICATE,
    ]  # fmt: skip
    assert placed[1].destination == tmp_path / "cats" / "tom (1).jpg"
    assert tree(tmp_path) == before
    assert not (tmp_path / "cats").exists()
    copying = Mover(copy=True, dry_run=True)
    assert place(copying, one, tmp_path / "cats").outcome is Outcome.WOULD_COPY


def test_a_photo_that_changed_since_it_was_looked_at_stays(inbox: Path, tmp_path: Path) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    looked_at = FileIdentity.of(source)
    assert looked_at is not None
    source.write_bytes(b"not tom any more")
    placed = Mover().place(source, tmp_path / "cats", looked_at)
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CHANGED)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"not tom any more"}


def test_a_photo_that_changes_while_it_is_copied_is_not_filed_half(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    copy = mover_module.shutil.copyfileobj

    def copy_and_change(reading: object, writing: object, length: int) -> None:
        copy(reading, writing, length)  # type: ignore[arg-type, misc]
        source.write_bytes(b"not tom any more")

    monkeypatch.setattr(mover_module.shutil, "copyfileobj", copy_and_change)
    placed = place(Mover(copy=True), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.LEFT, Reason.CHANGED)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"not tom any more"}


def raising(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_to_another_file_system_it_is_copied_and_then_removed(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system says EXDEV for the first rename, the one across file systems."""
    source = put(inbox / "tom.jpg", b"tom")
    mtime = source.stat().st_mtime_ns

    def across(one: Path, other: Path) -> None:
        if one.parent != other.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename_no_replace(one, other)

    monkeypatch.setattr(mover_module, "rename_no_replace", across)
    assert place(Mover(), source, tmp_path / "cats").outcome is Outcome.MOVED
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom"}
    assert (tmp_path / "cats" / "tom.jpg").stat().st_mtime_ns == mtime
    other = put(inbox / "tom.jpg", b"another tom")
    assert place(Mover(), other, tmp_path / "cats").outcome is Outcome.MOVED
    assert tree(tmp_path) == {"cats/tom.jpg": b"tom", "cats/tom (1).jpg": b"another tom"}


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_to_a_real_other_file_system(inbox: Path, tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == inbox.stat().st_dev:
            pytest.skip("/dev/shm is the same file system")
        source = put(inbox / "tom.jpg", b"tom" * 100_000)
        assert place(Mover(), source, Path(other) / "cats").outcome is Outcome.MOVED
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
        monkeypatch.setattr(mover_module, "rename_no_replace", raising(number))
    placed = place(Mover(copy=copy), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, reason)
    assert placed.message is not None
    assert "tom.jpg" in placed.message
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom"}


def test_a_file_in_the_class_folders_place_fails_and_nothing_is_lost(
    inbox: Path, tmp_path: Path
) -> None:
    source = put(inbox / "tom.jpg", b"tom")
    put(tmp_path / "cats", b"a file called cats")
    assert place(Mover(), source, tmp_path / "cats").outcome is Outcome.FAILED
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom", "cats": b"a file called cats"}


def test_long_names_keep_their_suffix_within_255_bytes() -> None:
    assert numbered("tom.jpg", 0) == "tom.jpg"
    assert numbered("tom.jpg", 2) == "tom (2).jpg"
    long = "ü" * 125 + ".jpeg"
    assert numbered(long, 1).endswith("ü (1).jpeg")
    assert len(os.fsencode(numbered(long, 1))) <= 255


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("leads_to", ["inbox/tom.jpg", "nowhere"])
def test_a_link_in_the_class_folder_is_never_a_duplicate(
    inbox: Path, tmp_path: Path, leads_to: str
) -> None:
    """It may lead to the photo itself: whoever then deleted the \"duplicate\" would lose it."""
    source = put(inbox / "tom.jpg", b"tom")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "tom.jpg").symlink_to(tmp_path / leads_to)
    placed = place(Mover(), source, tmp_path / "cats")
    assert placed == Placed(Outcome.MOVED, tmp_path / "cats" / "tom (1).jpg")
    assert (tmp_path / "cats" / "tom (1).jpg").read_bytes() == b"tom"


@pytest.mark.parametrize("how", ["platform", "link", "claim"])
def test_a_name_is_taken_once_however_the_file_system_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """With the platform's rename, with hard links, and with neither."""
    if how != "platform":
        if sys.platform == "win32":
            pytest.skip("Windows needs neither")
        monkeypatch.setattr(
            rename_module, "_platform_rename", lambda: lambda one, other: errno.EINVAL
        )
    if how == "claim":
        monkeypatch.setattr(os, "link", raising(errno.EPERM))
    one, two = put(tmp_path / "one", b"1"), put(tmp_path / "two", b"2")
    rename_no_replace(one, tmp_path / "taken")
    with pytest.raises(FileExistsError):
        rename_no_replace(two, tmp_path / "taken")
    assert tree(tmp_path) == {"taken": b"1", "two": b"2"}


def test_renaming_passes_other_errors_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        rename_no_replace(tmp_path / "gone", tmp_path / "new")
    if sys.platform != "win32":
        monkeypatch.setattr(rename_module, "_platform_rename", lambda: None)
        with pytest.raises(FileNotFoundError):
            rename_no_replace(tmp_path / "gone", tmp_path / "new")


@pytest.mark.parametrize("copy", [False, True])
def test_a_photo_is_no_duplicate_of_itself(inbox: Path, copy: bool) -> None:
    """Sorted into the folder where it is: whoever deleted the "duplicate" would lose it."""
    source = put(inbox / "tom.jpg", b"tom")
    for folder in (inbox, inbox.parent / "inbox" / ".." / "inbox"):
        placed = place(Mover(copy=copy), source, folder)
        assert placed == Placed(Outcome.LEFT, reason=Reason.IN_PLACE)
    assert tree(inbox) == {"tom.jpg": b"tom"}


def test_a_photo_that_cannot_leave_its_disk_is_not_doubled(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a locked card: the copy succeeds, removing the original does not."""
    source = put(inbox / "tom.jpg", b"tom")
    unlink = Path.unlink

    def locked(self: Path, missing_ok: bool = False) -> None:
        if self == source:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        unlink(self, missing_ok=missing_ok)

    def across(one: Path, other: Path) -> None:
        if one.parent != other.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename_no_replace(one, other)

    monkeypatch.setattr(mover_module, "rename_no_replace", across)
    monkeypatch.setattr(Path, "unlink", locked)
    placed = place(Mover(), source, tmp_path / "cats")
    assert (placed.outcome, placed.reason) == (Outcome.FAILED, Reason.NO_PERMISSION)
    assert tree(tmp_path) == {"inbox/tom.jpg": b"tom"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows needs neither")
@pytest.mark.parametrize("how", ["link", "claim"])
def test_a_name_is_given_up_again_if_the_last_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A folder whose files may not be removed, say: nothing of ours stays behind."""
    monkeypatch.setattr(rename_module, "_platform_rename", lambda: None)
    one = put(tmp_path / "one", b"1")
    unlink = Path.unlink

    def refuse(self: Path, *arguments: object) -> None:
        if self == one:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(self)

    monkeypatch.setattr(Path, "unlink", refuse)
    if how == "claim":
        monkeypatch.setattr(os, "link", raising(errno.EPERM))
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        rename_no_replace(one, tmp_path / "new")
    assert tree(tmp_path) == {"one": b"1"}


def test_no_permission_is_no_reason_to_try_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rename_module, "_platform_rename", lambda: lambda one, other: errno.EPERM)
    if sys.platform == "win32":
        pytest.skip("Windows has one way")
    one = put(tmp_path / "one", b"1")
    with pytest.raises(PermissionError):
        rename_no_replace(one, tmp_path / "new")
    assert tree(tmp_path) == {"one": b"1"}


def test_contents_are_compared_anew_each_time(inbox: Path, tmp_path: Path) -> None:
    """Two photos of one name, size and time, one after the other."""
    put(tmp_path / "cats" / "tom.jpg", b"tom")
    source = put(inbox / "tom.jpg", b"tom")
    assert place(Mover(), source, tmp_path / "cats").outcome is Outcome.DUPLICATE
    put(source, b"jim")
    assert place(Mover(), source, tmp_path / "cats").outcome is Outcome.MOVED
