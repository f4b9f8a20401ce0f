"""Telling whether a file is still the one that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What changes when a file is replaced or written to."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def strictly_of(cls, path: Path) -> FileIdentity | None:
        """Look at a file; None only if it is certain that none is there. Raises OSError."""
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @classmethod
    def of(cls, path: Path) -> FileIdentity | None:
        """Look at a file, not through a link; None if it is not there to be looked at."""
        try:
            return cls.strictly_of(path)
        except OSError:
            return None


def regular(path: Path) -> FileIdentity | None:
    """Look at a file; None for what is gone, and for links and special files."""
    try:
        if not S_ISREG(path.lstat().st_mode):
            return None
    except OSError:
        return None
    return FileIdentity.of(path)
