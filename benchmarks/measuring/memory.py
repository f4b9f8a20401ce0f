"""How much memory a process and all that it started take."""

from __future__ import annotations

import threading
from contextlib import suppress

import psutil

_PERIOD_SECONDS = 0.1


def tree_memory(pid: int) -> float:
    """Add up the proportional set sizes, in bytes, of a process and its descendants.

    Linux has them in /proc/PID/smaps_rollup; elsewhere it is the resident sizes. Raises
    psutil.NoSuchProcess if the process has ended.
    """
    process = psutil.Process(pid)
    total = _memory(process)
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            total += _memory(child)
    return total


def _memory(process: psutil.Process) -> float:
    found = process.memory_full_info()
    return float(getattr(found, "pss", 0) or found.rss)


class PeakMemory:
    """The most memory that a process takes while a block runs, in bytes."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0.0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with suppress(psutil.NoSuchProcess):
            while True:
                self.bytes = max(self.bytes, tree_memory(self._pid))
                if self._stop.wait(_PERIOD_SECONDS):
                    return
