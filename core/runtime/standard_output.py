"""Standard output that is closed, or on a disk that is full: one error."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress

from core.runtime.quiet import separate_stderr

# What writing to a stream can fail with; such an error names no file.
_OUTPUT = {errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EIO, errno.EFBIG, errno.EINVAL}


class _Closed(io.TextIOBase):
    """Stands for a standard output that was closed before catdog began."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def set_up_streams() -> None:
    """Prepare standard output and standard error, before anything is written."""
    _keep_closed_output_closed()
    separate_stderr()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a pipe on Windows cannot take every file name: show what it cannot, do not fail
            stream.reconfigure(errors="backslashreplace")


def _keep_closed_output_closed() -> None:
    """Make writing to a closed standard output fail, and keep its number from other files."""
    if os.name != "posix":
        return  # Windows' pythonw has none, and is well without
    if sys.stdout is None:
        with suppress(OSError):
            os.fstat(1)
            return  # it is open: another stream stands in for it
        os.open(os.devnull, os.O_WRONLY)  # the lowest number that is free
        sys.stdout = _Closed()


def is_of_output(error: OSError) -> bool:
    """Return whether an error came from writing to standard output."""
    return error.filename is None and (isinstance(error, BrokenPipeError) or error.errno in _OUTPUT)


def give_up_output() -> None:
    """Send what is still to be written to standard output nowhere, so that the end is quiet."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def output_words(error: OSError) -> str:
    """Return what is wrong with standard output, in words."""
    return (
        f"Error: standard output cannot be written ({error.strerror or error}). What was moved "
        "until then is in the journal: `catdog history`."
    )
