"""What is left of inotify's limits, read from /proc as Linux writes it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sorter.doctor.inotify import InotifyUse, inotify_use

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links as POSIX has them")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with limits, and a process that watches two folders and one."""
    limits = tmp_path / "sys" / "fs" / "inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_watches").write_text("8192\n")
    (limits / "max_user_instances").write_text("128\n")
    process = tmp_path / "4711"
    (process / "fd").mkdir(parents=True)
    (process / "fdinfo").mkdir()
    for handle, leads_to, watches in (
        ("0", "/dev/null", 0),
        ("3", "anon_inode:inotify", 2),
        ("4", "anon_inode:[eventpoll]", 0),
        ("5", "anon_inode:inotify", 1),
    ):
        (process / "fd" / handle).symlink_to(leads_to)
        lines = [f"inotify wd:{number} ino:9 sdev:1 mask:fc6" for number in range(watches)]
        (process / "fdinfo" / handle).write_text("\n".join(["pos:\t0", "flags:\t00", *lines, ""]))
    (tmp_path / "self").mkdir()
    (tmp_path / "4712").mkdir()  # has ended meanwhile
    return tmp_path


def test_watches_and_instances_of_all_processes_are_counted(proc: Path) -> None:
    assert inotify_use(proc) == InotifyUse(8192, 128, watches=3, instances=2)


def test_other_users_have_limits_of_their_own(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    assert inotify_use(proc) == InotifyUse(8192, 128, watches=0, instances=0)


def test_systems_without_inotify_have_no_limits(tmp_path: Path) -> None:
    assert inotify_use(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_watch_of_this_process_is_seen(tmp_path: Path) -> None:
    """With the real /proc, and the library that watches for us."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    before = inotify_use()
    observer = Observer()
    observer.schedule(FileSystemEventHandler(), str(tmp_path))
    observer.start()
    try:
        while_watching = inotify_use()
    finally:
        observer.stop()
        observer.join()
    assert before is not None
    assert while_watching is not None
    assert while_watching.instances >= 1
    assert 1 <= while_watching.watches <= while_watching.max_watches
