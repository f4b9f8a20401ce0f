"""Work of several kinds under one progress bar with one total."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from core.runtime.console import Console


class OneProgress:
    """A console whose bars are parts of one: each kind of work has its share of the total.

    What is no part of it, such as work that was not foreseen, has no bar.
    """

    def __init__(
        self, console: Console, on_progress: Callable[[float], None], shares: Mapping[str, float]
    ) -> None:
        self._console = console
        self._on_progress = on_progress
        self._shares = shares
        self._done = 0.0

    def say(self, line: str) -> None:
        self._console.say(line)

    @contextmanager
    def progress(self, what: str, total: float) -> Iterator[Callable[[float], None]]:
        share, before = self._shares.get(what, 0.0), self._done
        yield lambda done: self._on_progress(before + share * (done / total if total else 1.0))
        self._done = before + share
        self._on_progress(self._done)


@contextmanager
def one_progress(console: Console, what: str, shares: Mapping[str, float]) -> Iterator[OneProgress]:
    """Show one bar for all of some work; `shares` are in any unit, by what each part is called."""
    with console.progress(what, sum(shares.values())) as on_progress:
        yield OneProgress(console, on_progress, shares)
