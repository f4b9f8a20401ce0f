"""Ctrl-C and SIGTERM as a wish to stop, which the work in hand is finished before."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def stop_wish() -> Generator[Event, None, None]:
    """Give an event that the first Ctrl-C or SIGTERM sets; a second one interrupts at once."""
    wished = Event()

    def wish(number: int, frame: FrameType | None) -> None:
        if wished.is_set():
            raise KeyboardInterrupt
        wished.set()

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    if sys.platform == "linux":  # of a lease that is broken, see transfer.is_being_written
        before[signal.SIGIO] = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        yield wished
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
