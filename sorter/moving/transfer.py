"""One file to its new place: whole or not at all, and never over another."""

from __future__ import annotations

import ctypes
import errno
import filecmp
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.paths import display
from sorter.identity import FileIdentity
from sorter.moving.completeness import STILL_SECONDS, is_complete
from sorter.moving.rename import rename_no_replace

log = logging.getLogger(__name__)

_COPYFILE_METADATA = 0b111  # COPYFILE_ACL | COPYFILE_STAT | COPYFILE_XATTR, copyfile.h on macOS


class ChangedMeanwhile(Exception):
    """The file is not the one that was planned to move any more."""


class BeingWritten(ChangedMeanwhile):
    """The file may not be complete yet."""


def move(
    source: Path,
    destination: Path,
    identity: FileIdentity,
    temporary: Path,
    *,
    will_copy: Callable[[], None] = lambda: None,
    still_seconds: float = STILL_SECONDS,
) -> None:
    """Move a file, to another file system through a copy under the name `temporary`.

    `will_copy` is called before such a copy is made. A rename takes along whoever is writing to
    the file; a copy does not, so only what is known to be complete is copied.

    Raises FileExistsError if the name is taken, ChangedMeanwhile and OSError; then the file is
    where it was.
    """
    if FileIdentity.of(source) != identity:
        raise ChangedMeanwhile
    try:
        rename_no_replace(source, destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        will_copy()
        copy(source, destination, identity, temporary, still_seconds=still_seconds)
        _remove_original(source, destination, identity, still_seconds)


def _remove_original(
    source: Path, destination: Path, identity: FileIdentity, still_seconds: float
) -> None:
    """Remove a file of which a copy stands; if that cannot be, remove the copy again."""
    try:
        # what is new in it must not be lost
        if FileIdentity.strictly_of(source) != identity:
            raise ChangedMeanwhile
        if not is_complete(source, still_seconds):
            raise BeingWritten
        source.unlink()
    except (OSError, ChangedMeanwhile):  # it may not leave a locked card, say
        if not os.path.lexists(source):
            return  # somebody else has removed it: the copy is all there is
        destination.unlink()
        raise


def copy(
    source: Path,
    destination: Path,
    identity: FileIdentity,
    temporary: Path,
    *,
    still_seconds: float = STILL_SECONDS,
) -> None:
    """Copy bytes, times, permissions and extended attributes; the copy appears whole or not.

    Raises FileExistsError if the name is taken, BeingWritten, ChangedMeanwhile and OSError.
    """
    if not is_complete(source, still_seconds):
        raise BeingWritten
    if os.path.lexists(destination):  # saves the copying; what decides is the rename below
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
    try:
        with source.open("rb") as reading, temporary.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            os.fsync(writing.fileno())
        _copy_metadata(source, temporary)
        if FileIdentity.of(source) != identity or not same_bytes(source, temporary):
            raise ChangedMeanwhile
        rename_no_replace(temporary, destination)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(destination.parent)


def remove_copy(duplicate: Path, original: Path, identity: FileIdentity) -> None:
    """Remove a copy whose original still stands with the same bytes.

    Raises ChangedMeanwhile and OSError; then the copy stays.
    """
    if FileIdentity.of(duplicate) != identity or not same_bytes(duplicate, original):
        raise ChangedMeanwhile
    if duplicate.samefile(original):  # two names of one file: to remove one would not be undo
        raise ChangedMeanwhile
    duplicate.unlink()


def same_bytes(photo: Path, standing: Path) -> bool:
    """Compare contents; a link is never the same, since it may lead to the photo itself."""
    filecmp.clear_cache()  # it would trust size and time of a file that was replaced meanwhile
    if standing.is_symlink() or not standing.is_file():
        return False
    return filecmp.cmp(photo, standing, shallow=False)


def sync_folder(folder: Path) -> None:
    """Have a new name in a folder survive a power cut, where the file system can do that."""
    if os.name != "posix":
        return  # Windows does not open folders
    with suppress(OSError):  # some shares cannot, and one may write to a folder but not read it
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _copy_metadata(source: Path, copied: Path) -> None:
    try:
        shutil.copystat(source, copied)
    except OSError as error:  # a share that keeps no times or modes: the bytes are what counts
        log.debug("%s keeps not all of %s: %s", display(copied), display(source), error)
    if sys.platform == "darwin":  # where copystat leaves out extended attributes and ACLs
        libc = ctypes.CDLL(None, use_errno=True)
        libc.copyfile(os.fsencode(source), os.fsencode(copied), None, _COPYFILE_METADATA)
    if hasattr(os, "chflags"):
        os.chflags(copied, 0)  # a locked file could be neither renamed nor removed
    if hasattr(os, "chown"):
        status = source.lstat()
        with suppress(OSError):  # only root gives files away, and not in every container
            os.chown(copied, status.st_uid, status.st_gid)
