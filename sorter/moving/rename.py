"""Taking a name in the file system without ever taking it from another file."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1  # linux/fs.h
_RENAME_EXCL = 4  # sys/stdio.h on macOS
_NO_SUCH_RENAME = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_LINKS = _NO_SUCH_RENAME | {errno.EPERM, errno.EMLINK}


def rename_no_replace(source: Path, destination: Path) -> None:
    """Rename within one file system, in one step where the platform can.

    Raises FileExistsError if the name is taken, and OSError with EXDEV across file systems.
    Where the file system knows no such rename, hard link and unlink do the same in two steps;
    where it has no hard links either, the name is claimed by an empty file first, which a crash
    right then would leave behind.
    """
    if sys.platform == "win32":
        source.rename(destination)  # refuses to replace, there
        return
    platform_rename = _platform_rename()
    if platform_rename is not None:
        code = platform_rename(os.fsencode(source), os.fsencode(destination))
        if code == 0:
            return
        if code not in _NO_SUCH_RENAME:
            raise OSError(code, os.strerror(code), str(source), None, str(destination))
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(destination, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        _or_undo(lambda: source.replace(destination), destination)
    else:
        _or_undo(source.unlink, destination)


def are_two_names(kept: Path, ours: Path, aside: Path) -> bool:
    """Return whether it is proved that a file stays at `kept` whatever becomes of `ours`.

    Device and inode do not tell: a union of disks such as mergerfs gives other numbers than the
    disk below, and a bind mount the same. So `ours` is called `aside` for a moment, in the same
    folder; a crash then is mended by `bring_back`. Raises OSError.
    """
    rename_no_replace(ours, aside)
    try:
        with kept.open("rb"):
            return True
    except FileNotFoundError:
        return False
    finally:
        rename_no_replace(aside, ours)


def bring_back(aside: Path, ours: Path) -> None:
    """Give a file its name again that a crash has left aside. Raises OSError."""
    if os.path.lexists(aside):
        rename_no_replace(aside, ours)


def _or_undo(last_step: Callable[[], object], destination: Path) -> None:
    """Give the new name up again if the last step fails: the photo still has its old one."""
    try:
        last_step()
    except FileNotFoundError:
        # the old name is gone already, by somebody else: the new one may be all there is
        if destination.lstat().st_size == 0:
            destination.unlink()
            raise
    except OSError:
        destination.unlink()
        raise


@cache
def _platform_rename() -> Callable[[bytes, bytes], int] | None:
    """Return the C library's no-replace rename, which returns 0 or an error number."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return lambda source, destination: _errno_of(
            libc.renamex_np(source, destination, _RENAME_EXCL)
        )
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        return lambda source, destination: _errno_of(
            libc.renameat2(_AT_FDCWD, source, _AT_FDCWD, destination, _RENAME_NOREPLACE)
        )
    return None


def _errno_of(status: int) -> int:
    return 0 if status == 0 else ctypes.get_errno()
