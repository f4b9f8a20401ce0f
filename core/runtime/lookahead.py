"""Work done ahead on threads, its results in order, in flat memory."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

# Predicting takes 13 MB for each thread that does: 61 MB with 2, 214 MB with 16 (measured)
_MOST_THREADS = 16


def map_ahead(
    function: Callable[[Item], Made],
    items: Iterable[Item],
    *,
    ahead_per_core: int = 4,
    threads: int | None = None,
) -> Iterator[tuple[Item, Made]]:
    """Apply `function` on all cores, at most a few items ahead of the results taken.

    Of many cores 16 are used, so that memory has a bound, and none that the process may not use;
    `threads` says another number, for work that mostly waits.
    It pays where `function` lets go of the interpreter's lock, as Pillow and NumPy do. What it
    raises is raised here, in turn.
    """
    items = iter(items)
    cores = threads or usable_cores()
    with ThreadPoolExecutor(cores, thread_name_prefix="ahead") as pool:
        waiting: deque[tuple[Item, Future[Made]]] = deque(
            (item, pool.submit(function, item)) for item in islice(items, ahead_per_core * cores)
        )
        try:
            while waiting:
                item, future = waiting.popleft()
                made = future.result()
                waiting.extend((later, pool.submit(function, later)) for later in islice(items, 1))
                yield item, made
        finally:
            for _, future in waiting:
                future.cancel()


def usable_cores() -> int:
    """Count the cores that are used: of those that this process is not bound away from 16."""
    return min(_allowed_cores(), _MOST_THREADS)


def _allowed_cores() -> int:
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1  # PYTHON_CPU_COUNT may say another number
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
