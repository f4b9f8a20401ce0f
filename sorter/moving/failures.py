"""What came of a file, and in what words a move that failed is told."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.paths import display
from sorter.moving.denied import denied
from sorter.outcome import Outcome, Reason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file ended up, or why it stayed."""

    source: Path
    outcome: Outcome
    destination: Path | None = None
    reason: str | None = None
    message: str | None = None


_REASONS = {
    errno.ENOENT: (Reason.VANISHED, "It is gone, or its folder is. Sort again."),
    errno.ENOTDIR: (Reason.IO_ERROR, "A file stands where a folder has to be: move it away."),
    errno.ENOSPC: (Reason.DISK_FULL, "Make room on that disk, then sort again."),
    errno.EDQUOT: (Reason.DISK_FULL, "Make room on that disk, then sort again."),
    errno.EACCES: (Reason.NO_PERMISSION, "Give this user write access to both folders."),
    errno.EPERM: (Reason.NO_PERMISSION, "Give this user write access to both folders."),
    errno.EROFS: (Reason.NO_PERMISSION, "Choose a folder on a disk that can be written to."),
}
_NAME = (Reason.NAME_REFUSED, "That file system cannot hold the name: rename the photo.")
_REASONS |= dict.fromkeys((errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG), _NAME)


def failure_of(error: OSError) -> tuple[Reason, str]:
    """Say why a file could not be moved, and what to do next, by the error alone."""
    return _REASONS.get(
        error.errno or 0, (Reason.IO_ERROR, "It stays where it is. Check the disk.")
    )


def failed(source: Path, folder: Path, error: OSError, *, beside: Sequence[Path] = ()) -> Placed:
    """Make a failure of the system's into what came of a file.

    `beside` is what goes with it: if it is one of these that could not go, it is named.
    """
    culprit = next((one for one in beside if str(one) == error.filename), source)
    reason, remedy = failure_of(error)
    if reason is Reason.NO_PERMISSION:
        reason, remedy = denied(culprit, folder) or (reason, remedy)
    stays = f"{display(source)} stays: " if culprit != source else ""
    belongs = ", which belongs to it," if culprit != source else ""
    return Placed(
        source,
        Outcome.FAILED,
        reason=reason,
        message=f"{stays}{display(culprit)}{belongs} cannot be put into {display(folder)} "
        f"({error.strerror or error}). {remedy}",
    )


def read_only(source: Path, folder: Path) -> Placed:
    """Say that a photo stays since it cannot be taken from where it is."""
    error = OSError(errno.EROFS, os.strerror(errno.EROFS), str(source))
    return failed(source, folder, error)


def destination_gone(source: Path, trouble: str) -> Placed:
    """Say that a file stays since its folder is not on the disk that it was on."""
    return Placed(
        source,
        Outcome.FAILED,
        reason=Reason.DESTINATION_GONE,
        message=f"{display(source)} stays: {trouble}",
    )


def stumbled(source: Path, error: Exception) -> Placed:
    """Make a bug into what came of the one file that showed it, with its traceback in the log."""
    log.error("%s", display(source), exc_info=error)
    return Placed(source, Outcome.FAILED, reason=Reason.INTERNAL_ERROR, message=bug_words(source))


def bug_words(source: Path) -> str:
    """Say that a file stays because of a bug."""
    return (
        f"{display(source)} stays: catdog stumbled over it. The others go on; the log, on standard "
        "error, has what to report."
    )
