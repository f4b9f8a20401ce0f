"""Keeps native libraries' chatter off the terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


def separate_stderr() -> None:
    """Keep Python's own standard error on the terminal while native libraries are silenced."""
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


class _Silence:
    """Sends file descriptor 2 nowhere while it is wanted quiet, by any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._saved: int | None = None

    def begin(self) -> None:
        with self._lock:
            self._wanted += 1
            if self._wanted > 1:
                return
            try:
                self._saved = os.dup(_STDERR)
            except OSError:  # closed already
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if self._wanted or self._saved is None:
                return
            os.dup2(self._saved, _STDERR)
            os.close(self._saved)
            self._saved = None


_silence = _Silence()


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Drop what is written to file descriptor 2 meanwhile; native libraries have no other way."""
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
