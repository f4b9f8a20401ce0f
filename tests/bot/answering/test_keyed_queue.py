"""Keyed queues keep their order, run side by side, and outlive a job that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.answering.keyed_queue import KeyedQueue


async def test_jobs_of_a_key_are_done_in_order_and_keys_side_by_side() -> None:
    done: list[str] = []
    free = asyncio.Event()
    queue = KeyedQueue()

    def job(name: str) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            if name == "a1":
                await free.wait()
            done.append(name)
            if name == "b2":
                free.set()

        return work

    for name in ("a1", "a2", "b1", "b2", "a3"):
        queue.add(name[0], job(name))
    assert await queue.stop(5)
    assert done == ["b1", "b2", "a1", "a2", "a3"]


async def test_a_job_that_fails_is_logged_and_the_queue_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = []
    queue = KeyedQueue()

    async def fail() -> None:
        raise ValueError("a bug")

    async def work() -> None:
        done.append(1)

    queue.add("a", fail)
    queue.add("a", work)
    assert await queue.stop(5)
    assert done == [1]
    assert "a bug" in caplog.text


async def test_a_stop_waits_no_longer_than_it_may() -> None:
    done = []
    queue = KeyedQueue()

    async def hang() -> None:
        await asyncio.sleep(60)

    async def work() -> None:
        done.append(1)

    queue.add("a", hang)
    queue.add("a", work)
    assert not await queue.stop(0.05)
    assert done == []


async def test_a_queue_that_ran_empty_can_be_used_again() -> None:
    done = []
    queue = KeyedQueue()

    async def work() -> None:
        done.append(1)

    for _ in range(3):
        queue.add("a", work)
        await asyncio.sleep(0.01)
    assert done == [1, 1, 1]
    assert queue._queues == {}
