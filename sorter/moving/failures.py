"""Failures of a move as outcomes: why, and what to do next."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import CatdogError
from core.paths import display
from sorter.moving.denied import denied
from sorter.outcome import FileOutcome, Outcome, Reason

log = logging.getLogger(__name__)


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
    """Return why a file could not be moved, and what to do next, by the error alone."""
    return _REASONS.get(
        error.errno or 0, (Reason.IO_ERROR, "It stays where it is. Check the disk.")
    )


def failed(
    source: Path, folder: Path, error: OSError, *, sidecars: Sequence[Path] = ()
) -> FileOutcome:
    """Return a failure of the system's as an outcome of the photo.

    If it is one of its `sidecars` that could not go, that is named.
    """
    culprit = next((one for one in sidecars if str(one) == error.filename), source)
    reason, remedy = failure_of(error)
    if reason is Reason.NO_PERMISSION:
        reason, remedy = denied(culprit, folder) or (reason, remedy)
    stays = f"{display(source)} stays: " if culprit != source else ""
    belongs = ", which belongs to it," if culprit != source else ""
    return FileOutcome(
        source,
        Outcome.FAILED,
        reason,
        message=f"{stays}{display(culprit)}{belongs} cannot be put into {display(folder)} "
        f"({error.strerror or error}). {remedy}",
    )


@contextmanager
def logged_bugs(path: Path) -> Iterator[None]:
    """Log a bug that one file shows: it must not keep the others from being sorted."""
    try:
        yield
    except CatdogError:
        raise
    except Exception:
        log.exception("%s", display(path))


def internal_error(source: Path, error: Exception) -> FileOutcome:
    """Log a bug with its traceback, and return it as an outcome of the file that showed it."""
    log.error("%s", display(source), exc_info=error)
    return FileOutcome(
        source,
        Outcome.FAILED,
        Reason.INTERNAL_ERROR,
        message=f"{display(source)} stays: catdog stumbled over it. The others go on; the log, on "
        "standard error, has what to report.",
    )
