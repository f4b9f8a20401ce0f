"""Calls to Telegram that no handler waits for: they may have to wait for their turn."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable

log = logging.getLogger(__name__)

_MOST = 500  # at once, in all
_MOST_OF_ONE = 10  # of one chat or person


class BackgroundTasks:
    """Runs work in the background, so much for each key; what is too much is dropped."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._of: Counter[Hashable] = Counter()

    def run(
        self, key: Hashable, work: Callable[[], Awaitable[object]], *, most: int = _MOST_OF_ONE
    ) -> None:
        """Start a task, unless there are too many; what it raises is logged."""
        if self._of[key] >= most or len(self._tasks) >= _MOST:
            return
        self._of[key] += 1
        task = asyncio.create_task(self._run(key, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is not done yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, key: Hashable, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except Exception:
            log.exception("a background task failed")
        finally:
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]
