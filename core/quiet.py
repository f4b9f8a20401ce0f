"""Keeps native libraries' chatter off the terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_lock = threading.Lock()


def separate_stderr() -> None:
    """Let Python's own standard error keep the terminal while native libraries are hushed."""
    try:
        if sys.stderr.fileno() != _STDERR:
            return
        sys.stderr = os.fdopen(
            os.dup(_STDERR),
            "w",
            buffering=1,
            encoding=sys.stderr.encoding,
            errors="backslashreplace",
        )
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Drop what is written to file descriptor 2 meanwhile; they have no other way."""
    with _lock:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # closed already
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, _STDERR)
            yield
        finally:
            os.dup2(saved, _STDERR)
            os.close(saved)
            os.close(null)
