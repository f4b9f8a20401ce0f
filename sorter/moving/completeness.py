"""Whether a file is complete: nobody has it open for writing, or nothing came for long."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from enum import Enum
from pathlib import Path

from sorter.moving import filesystem

STILL_SECONDS = 180.0  # that a file must not have changed where the system tells of no writers


class Writers(Enum):
    """What the system says of programs that have a file open for writing."""

    NOBODY = "nobody"
    SOMEBODY = "somebody"
    UNKNOWN = "unknown"


def writers_of(path: Path) -> Writers:
    """Ask the system whether a program has a file open for writing.

    Linux grants a read lease only on a file that nobody writes to, and only to its owner or with
    CAP_LEASE. File systems of a network refuse one for reasons of their own.
    """
    if sys.platform != "linux":
        return Writers.UNKNOWN
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return Writers.UNKNOWN
    try:
        # who opens the file in that very moment breaks the lease, and SIGIO would end the process
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        # NFS and SMB grant no lease without the server's: there a refusal means nothing
        if error.errno == errno.EAGAIN and filesystem.file_system_of(path).reports_changes:
            return Writers.SOMEBODY
        return Writers.UNKNOWN
    finally:
        os.close(handle)
    return Writers.NOBODY


def is_complete(path: Path, still_seconds: float) -> bool:
    """Return whether a file is known to be complete; one that is gone is not."""
    writers = writers_of(path)
    if writers is Writers.UNKNOWN:
        return seconds_until_still(path, still_seconds) <= 0
    return writers is Writers.NOBODY


def seconds_until_still(path: Path, still_seconds: float) -> float:
    """Return how long a file must not change before it counts as complete by that alone.

    By its ctime, which no program can set back.
    """
    if still_seconds == 0:
        return 0.0
    try:
        return path.lstat().st_ctime + still_seconds - time.time()
    except OSError:
        return still_seconds
