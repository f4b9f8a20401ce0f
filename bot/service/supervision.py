"""Tasks that go on for as long as the bot runs: one that ends is logged and started again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from bot.service.metrics import Metrics
from core.errors import CatdogError

log = logging.getLogger(__name__)

_PAUSES_SECONDS = (0.5, 1.0, 2.0, 5.0)  # before a task is started again
_MOST_ENDS = 5  # within `_WITHIN_SECONDS`, and the process had better be started anew
_WITHIN_SECONDS = 300.0

Work = Callable[[], Awaitable[None]]


class KeepsEnding(CatdogError):
    """A task ends whenever it is started; a new process may do better."""


class Supervisor:
    """Keeps tasks going, and fails when that is in vain."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        pauses: tuple[float, ...] = _PAUSES_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._pauses = pauses
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._failed = asyncio.Event()
        self._failure: KeepsEnding | None = None

    def keep(self, name: str, work: Work) -> None:
        """Do work that should never end."""
        self._tasks.append(asyncio.create_task(self._keep(name, work), name=name))

    async def failure(self) -> None:
        """Wait until a task keeps ending. Raises KeepsEnding."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, work: Work) -> None:
        ends: deque[float] = deque(maxlen=_MOST_ENDS)
        while True:
            error: BaseException | None = None
            try:
                await work()
            except asyncio.CancelledError as cancelled:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                error = cancelled  # by something else than the one who stops it
            except Exception as unforeseen:
                error = unforeseen
            self._metrics.bugs.inc()
            self._metrics.restarts.labels(name).inc()
            log.error("%s ended, and is started again", name, exc_info=error)
            ends.append(self._clock())
            if len(ends) == _MOST_ENDS and ends[-1] - ends[0] < _WITHIN_SECONDS:
                self._failure = KeepsEnding(
                    f"{name} has ended {_MOST_ENDS} times within {_WITHIN_SECONDS / 60:.0f} "
                    "minutes; the log has why. Start the bot again; a service manager does."
                )
                self._failed.set()
                return
            await asyncio.sleep(self._pauses[min(len(ends), len(self._pauses)) - 1])
