"""Ctrl-C and SIGTERM as a wish to stop, which the work in hand is finished before."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from core.model.live import Serving


class Stop(Protocol):
    """What work looks at now and then, to see whether it is to end."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool:
        """Wait for it, so many seconds at most; True if it is set."""


class StopOrNewModel:
    """Set once a stop is wished for, or another model serves than did at the start."""

    def __init__(self, stop: Stop, serving: Serving) -> None:
        self._stop = stop
        self._serving = serving
        self._classifier = serving.classifier()

    def is_set(self) -> bool:
        return self._stop.is_set() or self._serving.classifier() is not self._classifier

    def wait(self, timeout: float) -> bool:
        return self._stop.wait(timeout) or self.is_set()


@contextmanager
def stop_wish() -> Generator[Event, None, None]:
    """Give an event that the first Ctrl-C or SIGTERM sets; a second one interrupts at once."""
    wished = Event()

    def wish(number: int, frame: FrameType | None) -> None:
        if wished.is_set():
            raise KeyboardInterrupt
        wished.set()

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wished
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
