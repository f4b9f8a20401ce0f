"""Work in order for each person, and side by side for all."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class KeyedQueue:
    """A queue for each key, whose jobs are done one after another.

    The lanes run side by side, and each has one job at work at most: so whoever floods waits
    behind themselves alone, and what all of them wait for, such as connections, is shared fairly
    as long as it is handed out in turn.
    """

    def __init__(self) -> None:
        self._lanes: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def add(self, key: Hashable, job: Job) -> None:
        """Put a job at the end of a lane. What it raises is logged, and the lane goes on."""
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(job)
            return
        self._lanes[key] = deque([job])
        task = asyncio.create_task(self._work(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, grace: float) -> bool:
        """Let what is there be done for `grace` seconds at most, then stop; True if all was."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        self._stopped = True
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        return not unfinished

    async def _work(self, key: Hashable) -> None:
        lane = self._lanes[key]
        try:
            while lane and not self._stopped:
                try:
                    await lane[0]()
                except Exception:
                    log.exception("a job failed")
                lane.popleft()
        finally:
            del self._lanes[key]
