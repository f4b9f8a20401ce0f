"""Why a file may not be taken out of a folder, or put into one, and what to do about it."""

from __future__ import annotations

import os
import stat
import struct
import sys
from pathlib import Path

from core.paths import display
from sorter.moving.filesystem import nearest_folder
from sorter.outcome import Reason

_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS of linux/fs.h
_LOCKED = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


def is_read_only(folder: Path) -> bool:
    """Return whether a folder is on a file system that cannot be written to, a locked card say."""
    if not hasattr(os, "statvfs"):
        return False
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def denied(source: Path, folder: Path) -> tuple[Reason, str] | None:
    """Return why a file may not go from its folder into another; None if that is not known."""
    home, there = source.parent, nearest_folder(folder)
    if not os.access(source, os.R_OK):
        return Reason.NO_PERMISSION, f"Give this user read access to {display(source)}."
    if is_read_only(home):
        elsewhere = (
            " and, with --into, a folder that can be written to" if is_read_only(there) else ""
        )
        return Reason.READ_ONLY, (
            f"{display(home)} is read-only, as a locked card is: say --copy{elsewhere}, which "
            "leaves the photos there."
        )
    for path in (source, home, there):
        if _is_locked(path):
            copy = "choose another folder with --into" if path == there else "say --copy"
            return Reason.NO_PERMISSION, (
                f"{display(path)} is locked against changes (immutable or append-only): take that "
                f"away, with `chattr -ia` or in the Finder, or {copy}."
            )
    if _is_sticky_for_us(source):
        return Reason.NO_PERMISSION, (
            f"Only its owner may take it out of {display(home)}, which is sticky: run catdog as "
            "the owner, or say --copy."
        )
    for path, or_else in ((home, ", or say --copy"), (there, "")):
        if not os.access(path, os.W_OK | os.X_OK):
            return Reason.NO_PERMISSION, (
                f"Give this user write access to {display(path)}{or_else}."
            )
    return None


def _is_sticky_for_us(source: Path) -> bool:
    if sys.platform == "win32":
        return False
    try:
        home, own = source.parent.stat(), source.lstat()
    except OSError:
        return False
    return bool(home.st_mode & stat.S_ISVTX) and os.geteuid() not in (home.st_uid, own.st_uid)


def _is_locked(path: Path) -> bool:
    try:
        if sys.platform == "darwin":
            flags = path.lstat().st_flags
            return bool(flags & (stat.UF_IMMUTABLE | stat.SF_IMMUTABLE))
        if sys.platform != "linux":
            return False
        import fcntl

        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            answer = fcntl.ioctl(handle, _GET_FLAGS, bytes(8))
        finally:
            os.close(handle)
        return bool(struct.unpack("I", answer[:4])[0] & _LOCKED)
    except OSError:  # a file system without such flags
        return False
