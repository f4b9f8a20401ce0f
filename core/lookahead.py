"""Work done ahead on threads, handed out in order, in flat memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def map_ahead(
    function: Callable[[Item], Made], items: Iterable[Item], *, ahead_per_core: int = 4
) -> Iterator[tuple[Item, Made]]:
    """Apply `function` on all cores, at most a few items ahead of whoever takes the results.

    It pays where `function` lets go of the interpreter's lock, as Pillow and NumPy do. What it
    raises is raised here, in turn.
    """
    items = iter(items)
    cores = os.cpu_count() or 1
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
