"""What a file is known by, to notice that it was replaced or written to."""

from __future__ import annotations

import os
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
    def of_status(cls, status: os.stat_result) -> FileIdentity:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @classmethod
    def strictly_of(cls, path: Path) -> FileIdentity | None:
        """Return a file's identity; None only if certainly none is there. Raises OSError."""
        try:
            return cls.of_status(path.lstat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    @classmethod
    def of(cls, path: Path) -> FileIdentity | None:
        """Return the identity of a file or of a link itself; None if it cannot be read."""
        try:
            return cls.of_status(path.lstat())
        except OSError:
            return None


def regular(path: Path) -> FileIdentity | None:
    """Return a file's identity; None for what is gone, and for links and special files."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return FileIdentity.of_status(status) if S_ISREG(status.st_mode) else None
