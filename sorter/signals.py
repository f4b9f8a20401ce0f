"""Graceful shutdown: Ctrl-C and SIGTERM let the photo in hand be finished."""

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
    """An event that asks work to end."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool:
        """Wait for it, at most `timeout` seconds; True if it is set."""


class StopOrNewModel:
    """Set once a stop is requested, or another model serves than at the start."""

    def __init__(self, stop: Stop, serving: Serving) -> None:
        self._stop = stop
        self._serving = serving
        self._classifier = serving.classifier()

    def is_set(self) -> bool:
        return self._stop.is_set() or self._serving.classifier() is not self._classifier

    def wait(self, timeout: float) -> bool:
        return self._stop.wait(timeout) or self.is_set()


@contextmanager
def graceful_shutdown() -> Generator[Event, None, None]:
    """Yield an event that the first Ctrl-C or SIGTERM sets; a second one interrupts at once."""
    stop_requested = Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        if stop_requested.is_set():
            raise KeyboardInterrupt
        stop_requested.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request_stop) for number in signals}
    try:
        yield stop_requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
