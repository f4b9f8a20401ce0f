"""Puts a photo into a folder: never over another file, and never twice."""

from __future__ import annotations

import errno
import filecmp
import os
import secrets
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from core.image import display
from sorter.identity import FileIdentity
from sorter.outcome import Outcome, Reason
from sorter.rename import rename_no_replace

_LONGEST_NAME = 255  # bytes, on every file system that people use


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file ended up, or why it stayed."""

    outcome: Outcome
    destination: Path | None = None
    reason: Reason | None = None
    message: str | None = None


class Mover:
    """Moves or copies files, or in a dry run only says what it would do."""

    def __init__(self, *, copy: bool = False, dry_run: bool = False) -> None:
        self._copy = copy
        self._dry_run = dry_run
        self._promised: dict[Path, Path] = {}  # in a dry run: destination to source

    def place(self, source: Path, folder: Path, looked_at: FileIdentity) -> Placed:
        """Give a file its place in `folder`, which is made if it is missing.

        If its name is taken there by a file of the same bytes it is a duplicate and stays; by
        another file, it gets the first free name of `photo (1).jpg`, `photo (2).jpg`, ... It
        stays, too, if it is in `folder` already or is no longer the file that was `looked_at`.
        """
        try:
            if FileIdentity.of(source) != looked_at:
                return Placed(Outcome.LEFT, reason=Reason.CHANGED)
            if _is_same_folder(source.parent, folder):
                return Placed(Outcome.LEFT, reason=Reason.IN_PLACE)
            if not self._dry_run:
                folder.mkdir(parents=True, exist_ok=True)
            for number in count():
                destination = folder / numbered(source.name, number)
                try:
                    self._take(source, destination, looked_at)
                except FileExistsError:
                    if _same_bytes(source, self._promised.get(destination, destination)):
                        return Placed(Outcome.DUPLICATE, destination)
                else:
                    return Placed(self._success(), destination)
        except _ChangedMeanwhile:
            return Placed(Outcome.LEFT, reason=Reason.CHANGED)
        except OSError as error:
            return _failed(source, folder, error)
        raise AssertionError("count() does not end")

    def _success(self) -> Outcome:
        if self._dry_run:
            return Outcome.WOULD_COPY if self._copy else Outcome.WOULD_MOVE
        return Outcome.COPIED if self._copy else Outcome.MOVED

    def _take(self, source: Path, destination: Path, looked_at: FileIdentity) -> None:
        """Take the name `destination` for the file. Raises FileExistsError if it is taken."""
        if self._dry_run:
            if destination in self._promised or os.path.lexists(destination):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
            self._promised[destination] = source
            return
        if self._copy:
            _copy(source, destination, looked_at)
            return
        try:
            rename_no_replace(source, destination)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, destination, looked_at)
            if FileIdentity.of(source) != looked_at:
                return  # what is new in it stays
            try:
                source.unlink()
            except OSError:  # it cannot leave, from a locked card say: then nothing was done
                destination.unlink()
                raise


def numbered(name: str, number: int) -> str:
    """Add ` (number)` to a file name, 0 for none; the stem is cut if the name grew too long."""
    if number == 0:
        return name
    stem, suffix = os.path.splitext(name)
    ending = f" ({number}){suffix}"
    while len(os.fsencode(stem + ending)) > _LONGEST_NAME:
        stem = stem[:-1]
    return stem + ending


def _same_bytes(photo: Path, standing: Path) -> bool:
    """Compare contents; a link is never the same, since it may lead to the photo itself."""
    filecmp.clear_cache()  # it would trust size and time of a file that was replaced meanwhile
    return not standing.is_symlink() and filecmp.cmp(photo, standing, shallow=False)


def _is_same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False  # one of them is not there


class _ChangedMeanwhile(Exception):
    """The file was written to while it was copied."""


def _copy(source: Path, destination: Path, looked_at: FileIdentity) -> None:
    """Copy bytes, times, permissions and extended attributes; the copy appears whole or not."""
    if os.path.lexists(destination):  # saves the copying; what decides is the rename below
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
    temporary = destination.with_name(f".catdog-{secrets.token_hex(8)}.part")
    try:
        with source.open("rb") as reading, temporary.open("xb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            os.fsync(writing.fileno())
        shutil.copystat(source, temporary)
        if hasattr(os, "chflags"):
            os.chflags(temporary, 0)  # a locked file could be neither renamed nor removed
        if FileIdentity.of(source) != looked_at or not _same_bytes(source, temporary):
            raise _ChangedMeanwhile
        rename_no_replace(temporary, destination)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(destination.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows does not open folders
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_REASONS = {
    errno.ENOENT: (Reason.VANISHED, "It is gone, or its folder is. Sort again."),
    errno.ENOSPC: (Reason.DISK_FULL, "Make room on that disk, then sort again."),
    errno.EDQUOT: (Reason.DISK_FULL, "Make room on that disk, then sort again."),
    errno.EACCES: (Reason.NO_PERMISSION, "Give this user write access to both folders."),
    errno.EPERM: (Reason.NO_PERMISSION, "Give this user write access to both folders."),
    errno.EROFS: (Reason.NO_PERMISSION, "Choose a folder on a disk that can be written to."),
}


def _failed(source: Path, folder: Path, error: OSError) -> Placed:
    reason, remedy = _REASONS.get(
        error.errno or 0, (Reason.IO_ERROR, "It stays where it is. Check the disk.")
    )
    return Placed(
        Outcome.FAILED,
        reason=reason,
        message=f"{display(source)} cannot be put into {display(folder)} "
        f"({error.strerror or error}). {remedy}",
    )
