"""Keeps native libraries' chatter off the terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Drop what is written to file descriptor 2 meanwhile; LiteRT has no other way to hush it."""
    with _lock:
        try:
            saved = os.dup(2)
        except OSError:  # closed already
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)
