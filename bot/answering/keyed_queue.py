"""Work in order for each key, and side by side for all."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class KeyedQueue:
    """A queue for each key, whose jobs are done one after another.

    The queues run side by side, and each has one job at work at most: so whoever floods waits
    behind themselves alone, and what all of them wait for, such as connections, is shared fairly
    as long as it is handed out in turn.
    """

    def __init__(self) -> None:
        self._queues: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    def add(self, key: Hashable, job: Job) -> None:
        """Put a job at the end of a key's queue; what it raises is logged, and the next is done."""
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(job)
            return
        self._queues[key] = deque([job])
        task = asyncio.create_task(self._work(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, grace: float) -> bool:
        """Let jobs be done for `grace` seconds at most, then stop; returns whether all were."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        self._is_stopped = True
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        return not unfinished

    async def _work(self, key: Hashable) -> None:
        queue = self._queues[key]
        try:
            while queue and not self._is_stopped:
                try:
                    await queue[0]()
                except Exception:
                    log.exception("a job failed")
                queue.popleft()
        finally:
            del self._queues[key]
