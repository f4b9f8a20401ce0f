"""How many of something each key may have: a burst, then so many a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable

_SWEEP_BUCKETS = 1000  # from which on those that are full again are dropped


class TokenBucket:
    """A token bucket for each key: `burst` tokens at once, and `per_second` after."""

    def __init__(
        self, burst: float, per_second: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}  # tokens left, and when

    def take(self, key: Hashable) -> bool:
        left = self._left(key)
        if left < 1:
            return False
        self._buckets[key] = (left - 1, self._clock())
        return True

    def reserve(self, key: Hashable) -> float:
        """Take a token, perhaps ahead of time; returns how many seconds to wait for it."""
        left = self._left(key) - 1
        self._buckets[key] = (left, self._clock())
        return max(0.0, -left / self._per_second)

    async def wait(self, key: Hashable) -> None:
        """Wait for a token, behind whoever waits already, and take it."""
        if pause := self.reserve(key):
            await asyncio.sleep(pause)

    def _left(self, key: Hashable) -> float:
        if len(self._buckets) > _SWEEP_BUCKETS:
            self._buckets = {
                key: bucket
                for key, bucket in self._buckets.items()
                if self._refilled(*bucket) < self._burst
            }
        return self._refilled(*self._buckets.get(key, (self._burst, self._clock())))

    def _refilled(self, left: float, at: float) -> float:
        return min(self._burst, left + (self._clock() - at) * self._per_second)
