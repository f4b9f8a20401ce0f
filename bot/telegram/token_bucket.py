"""How much each person may ask, and how fast each chat is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

_SWEEP = 1000  # buckets, and those that are full again are dropped


class TokenBucket:
    """A token bucket for each key: `burst` at once, and `per_second` after."""

    def __init__(
        self, burst: float, per_second: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # what was left, and when

    def take(self, key: Hashable) -> bool:
        """Take one if there is one."""
        left = self._left(key)
        if left < 1:
            return False
        self._buckets[key] = (left - 1, self._clock())
        return True

    def wait_for(self, key: Hashable) -> float:
        """Take one, now or ahead of time; gives how many seconds to wait for it."""
        left = self._left(key) - 1
        self._buckets[key] = (left, self._clock())
        return max(0.0, -left / self._per_second)

    def _left(self, key: Hashable) -> float:
        if len(self._buckets) > _SWEEP:
            self._sweep()
        return self._now(*self._buckets.get(key, (self._burst, self._clock())))

    def _now(self, left: float, at: float) -> float:
        return min(self._burst, left + (self._clock() - at) * self._per_second)

    def _sweep(self) -> None:
        used = {
            key: bucket for key, bucket in self._buckets.items() if self._now(*bucket) < self._burst
        }
        self._buckets = used
