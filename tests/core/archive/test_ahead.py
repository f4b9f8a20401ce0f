"""What a thread lists waits until it is taken, and its end and errors are known."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.archive.ahead import Ahead


def test_items_come_out_in_order_each_once() -> None:
    assert list(Ahead(range(1_000))) == list(range(1_000))


def test_all_is_listed_before_anything_is_taken() -> None:
    over = threading.Event()

    def items() -> Iterator[int]:
        yield from range(100)
        over.set()

    ahead = Ahead(items())
    assert over.wait(timeout=10)
    assert list(ahead) == list(range(100))
    assert ahead.is_complete


def test_an_item_can_be_taken_while_the_next_is_waited_for() -> None:
    go_on = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        assert go_on.wait(timeout=10)
        yield 2

    ahead = iter(Ahead(items()))
    assert next(ahead) == 1
    go_on.set()
    assert next(ahead) == 2


def test_an_error_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    ahead = iter(Ahead(items()))
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no more"):
        next(ahead)
