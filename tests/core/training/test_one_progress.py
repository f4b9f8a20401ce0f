"""One bar for work of several kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.training.one_progress import one_progress


class Bars:
    """A console that remembers its bars and what they were told."""

    def __init__(self) -> None:
        self.bars: list[tuple[str, float, list[float]]] = []
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def progress(self, what: str, total: float) -> Iterator[Callable[[float], None]]:
        done: list[float] = []
        self.bars.append((what, total, done))
        yield done.append


def test_parts_fill_one_bar_to_its_end() -> None:
    console = Bars()
    with one_progress(console, "Training", {"Decoding": 10, "Fitting": 30}) as parts:
        with parts.progress("Decoding", 5) as shown:
            shown(1)
            shown(5)
        parts.say("hello")
        with parts.progress("Unforeseen", 7) as shown:
            shown(3)
        with parts.progress("Fitting", 2) as shown:
            shown(1)
    ((what, total, done),) = console.bars
    assert (what, total) == ("Training", 40)
    assert done == sorted(done)
    assert done[0] == 2
    assert done[-1] == total
    assert console.lines == ["hello"]
