"""Everybody has their share, and gets it back with time."""

from __future__ import annotations

from bot.telegram.token_bucket import TokenBucket


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_a_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(3, 0.5, clock=clock)
    assert [bucket.take("ann") for _ in range(5)] == [True, True, True, False, False]
    assert bucket.take("bob")
    clock.now += 2
    assert [bucket.take("ann") for _ in range(2)] == [True, False]
    clock.now += 1000
    assert [bucket.take("ann") for _ in range(4)] == [True, True, True, False]


def test_what_is_taken_ahead_of_time_has_to_be_waited_for() -> None:
    clock = Clock()
    bucket = TokenBucket(2, 2.0, clock=clock)
    assert [bucket.reserve("ann") for _ in range(4)] == [0, 0, 0.5, 1.0]
    clock.now += 1.0
    assert bucket.reserve("ann") == 0.5


def test_full_buckets_are_not_kept() -> None:
    clock = Clock()
    bucket = TokenBucket(1, 1.0, clock=clock)
    for key in range(5000):
        bucket.take(key)
        clock.now += 0.01
    assert len(bucket._buckets) < 1500
