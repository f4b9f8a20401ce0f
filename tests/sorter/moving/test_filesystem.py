"""Which file system a path lies on, from the system's list, and what is known of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from sorter.moving import filesystem
from sorter.moving.filesystem import file_system_of, ignores_case, nearest_folder

Mount = Callable[..., None]


@pytest.fixture
def mount(monkeypatch: pytest.MonkeyPatch) -> Mount:
    """Have the system list these mounts, in this order: place and kind, or place, kind, options."""

    def mount(*mounts: tuple[Path, str] | tuple[Path, str, str]) -> None:
        listed = [
            SimpleNamespace(mountpoint=str(place), fstype=kind, opts=",".join(("rw", *options)))
            for place, kind, *options in mounts
        ]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: listed if all else [])

    return mount


def test_the_real_file_system_of_a_folder_is_found(tmp_path: Path) -> None:
    found = file_system_of(tmp_path)
    assert found.kind
    assert tmp_path.is_relative_to(found.mount_point)
    assert found.mount_point.stat().st_dev == tmp_path.stat().st_dev


def test_the_innermost_mount_counts_and_of_two_in_one_place_the_later(
    mount: Mount, tmp_path: Path
) -> None:
    root = Path(tmp_path.anchor)
    mount((tmp_path / "a", "autofs"), (tmp_path / "a", "ext4"), (root, "btrfs"), (tmp_path, "xfs"))
    assert file_system_of(tmp_path / "a" / "b").kind == "ext4"
    assert file_system_of(tmp_path / "a").mount_point == tmp_path / "a"
    assert file_system_of(tmp_path / "ab").kind == "xfs"  # not inside a, whatever its name
    assert file_system_of(root).kind == "btrfs"


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_link_lies_where_it_leads(mount: Mount, tmp_path: Path) -> None:
    mount((Path("/"), "ext4"), (tmp_path / "share", "nfs4"))
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    assert file_system_of(tmp_path / "link" / "new").kind == "nfs4"


@pytest.mark.parametrize(
    "kind",
    [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse",
        "fuse", "fuseblk", "9p", "afpfs", "webdav", "ceph", "vboxsf", "virtiofs", "macfuse",
    ],
)  # fmt: skip
def test_kinds_whose_changes_made_elsewhere_give_no_event(
    mount: Mount, tmp_path: Path, kind: str
) -> None:
    mount((tmp_path, kind))
    assert not file_system_of(tmp_path).reports_changes


@pytest.mark.parametrize(
    "kind", ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "apfs", "hfs", "NTFS", "vfat"]
)
def test_kinds_whose_changes_give_events(mount: Mount, tmp_path: Path, kind: str) -> None:
    mount((tmp_path, kind))
    assert file_system_of(tmp_path).reports_changes


def test_a_drive_of_a_network_calls_itself_ntfs(mount: Mount, tmp_path: Path) -> None:
    """As Windows lists a share that has a letter."""
    mount((tmp_path, "NTFS", "remote"))
    assert not file_system_of(tmp_path).reports_changes


@pytest.mark.skipif(sys.platform != "win32", reason="Windows' paths")
def test_a_share_without_a_letter_is_a_network() -> None:
    assert not file_system_of(Path(r"\\server\photos\inbox")).reports_changes


def test_an_unknown_file_system_counts_as_one_with_events(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Watching finds out if none come."""

    def refuse(all: bool) -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    found = file_system_of(tmp_path)
    assert (found.kind, found.reports_changes) == ("", True)


def test_the_nearest_folder_is_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert nearest_folder(tmp_path) == tmp_path
    assert nearest_folder(tmp_path / "a" / "b") == tmp_path
    assert nearest_folder(tmp_path / "file") == tmp_path


@pytest.fixture
def ignoring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look names up as a file system that ignores case does."""
    lstat = Path.lstat

    def lookup(self: Path) -> os.stat_result:
        if os.path.isdir(self.parent):
            for entry in sorted(self.parent.iterdir()):
                if entry.name.lower() == self.name.lower():
                    return lstat(entry)
        return lstat(self)

    monkeypatch.setattr(Path, "lstat", lookup)


def ignores_case_here(folder: Path) -> bool:
    """Find out by writing, which the code may not."""
    (folder / "Probe").write_bytes(b"")
    found = (folder / "pROBE").exists()
    (folder / "Probe").unlink()
    return found


def test_case_is_found_as_it_is_here_and_nothing_is_written(tmp_path: Path) -> None:
    expected = ignores_case_here(tmp_path)
    (tmp_path / "Tom.jpg").write_bytes(b"x")
    before = (sorted(tmp_path.iterdir()), tmp_path.stat().st_mtime_ns)
    assert ignores_case(tmp_path) is expected
    assert (sorted(tmp_path.iterdir()), tmp_path.stat().st_mtime_ns) == before


@pytest.mark.usefixtures("ignoring")
@pytest.mark.parametrize("name", ["Tom.jpg", "123-A"])
def test_a_file_system_that_ignores_case_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "456").write_bytes(b"x")
    (tmp_path / name).write_bytes(b"x")
    assert ignores_case(tmp_path) is True


@pytest.mark.usefixtures("ignoring")
def test_an_empty_folder_or_one_to_come_is_known_by_those_above(tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "2026" / "11"
    folder.mkdir(parents=True)
    assert ignores_case(folder) is True
    assert ignores_case(folder / "to" / "come") is True


@pytest.mark.skipif(os.name != "posix", reason="hard links as POSIX has them")
def test_two_names_of_one_file_do_not_look_like_one_name(tmp_path: Path) -> None:
    if ignores_case_here(tmp_path):
        pytest.skip("two such names cannot be here")
    (tmp_path / "Tom.jpg").write_bytes(b"x")
    os.link(tmp_path / "Tom.jpg", tmp_path / "tOM.JPG")
    assert ignores_case(tmp_path) is False  # by the folder's own name


def test_where_no_name_has_letters_it_is_not_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(filesystem, "_is_there_in_other_case", lambda folder, name: None)
    assert ignores_case(tmp_path) is None
