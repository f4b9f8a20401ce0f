"""Bytes that are fetched have room in memory."""

from __future__ import annotations

import threading

from core.archive.sources.content import Room


def test_what_is_fetched_at_once_stays_in_bounds_and_one_may_be_larger() -> None:
    room = Room(100)
    holds, lock, most = 0, threading.Lock(), 0

    def hold(size: int) -> None:
        nonlocal holds, most
        for _ in range(50):
            with room.taken(size):
                with lock:
                    holds += size
                    most = max(most, holds if holds != 300 else 0)
                with lock:
                    holds -= size

    threads = [threading.Thread(target=hold, args=(size,)) for size in (60, 30, 40, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    assert 0 < most <= 100
