"""Memory for decoding is handed out, never more than there is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.images.budget import MEGABYTE, DecodeBudget
from core.images.structure.base import Refusal


def test_all_at_once_never_hold_more_than_there_is() -> None:
    budget, lock = DecodeBudget(100), threading.Lock()
    held, most = 0, [0]

    def take(needed: int) -> None:
        nonlocal held
        with budget.taken(needed):
            with lock:
                held += needed
                most.append(held)
            with lock:
                held -= needed

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(take, [60, 10, 30, 90, 1, 100, 50, 50] * 50))
    assert 50 < max(most) <= 100


def test_one_photo_may_not_take_it_all() -> None:
    """The message says how much it would take."""
    with (
        pytest.raises(Refusal, match=r"would take 500 MB of memory .* the 400 MB"),
        DecodeBudget(600 * MEGABYTE).taken(500 * MEGABYTE),
    ):
        pass
    with pytest.raises(Refusal, match="the 100 MB"), DecodeBudget(100 * MEGABYTE).taken(10**9):
        pass


def test_who_needs_much_is_not_passed_by_for_ever() -> None:
    """What comes later waits, though it would fit."""
    budget, order = DecodeBudget(100), list[str]()
    waiting = threading.Event()

    def take(name: str, needed: int) -> None:
        waiting.set()
        with budget.taken(needed):
            order.append(name)

    with budget.taken(50):
        large = threading.Thread(target=take, args=("large", 80))
        large.start()
        waiting.wait(10)
        while not budget._waiting:
            pass
        small = threading.Thread(target=take, args=("small", 10))
        small.start()
        while len(budget._waiting) < 2:
            pass
        assert order == []
    large.join(10)
    small.join(10)
    assert order == ["large", "small"]


def test_memory_is_given_back_whatever_happens() -> None:
    budget = DecodeBudget(100)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.taken(100):
            raise ValueError("broken")
