"""Work done ahead, handed out in order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from core.runtime import lookahead
from core.runtime.lookahead import map_ahead


def test_results_come_in_order_whoever_is_done_first() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number % 5 == 0 else 0)
        return number * number

    assert list(map_ahead(slow_first, range(40))) == [(n, n * n) for n in range(40)]


def test_no_more_than_a_few_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def source() -> object:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = map_ahead(lambda number: number, source(), ahead_per_core=2)  # type: ignore[arg-type, var-annotated]
    for _ in range(5):
        next(results)
    assert len(taken) <= 5 + 2 * (os.cpu_count() or 1)
    results.close()  # type: ignore[attr-defined]


def test_there_are_never_more_than_16_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookahead, "_allowed_cores", lambda: 100)
    threads = set()

    def work(_: int) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.002)

    list(map_ahead(work, range(200)))
    assert len(threads) == 16


@pytest.mark.skipif(sys.platform != "linux", reason="where a process can be bound to cores")
def test_cores_that_the_process_may_not_use_are_not_counted() -> None:
    code = """
import os, threading, time
from core.runtime.lookahead import map_ahead
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
threads = set()
list(map_ahead(lambda _: (threads.add(threading.get_ident()), time.sleep(0.002)), range(50)))
print(len(threads))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]


def test_what_the_function_raises_is_raised_in_its_turn() -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = map_ahead(fail_at_three, range(10))
    assert [next(results) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(ValueError, match="three"):
        next(results)
