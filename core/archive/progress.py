"""How a run over an archive goes, on a terminal as a bar, elsewhere as a line at times."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.runtime.console import echo
from core.runtime.durations import duration

_LINE_EVERY = 60.0  # seconds


@dataclass(slots=True)
class Rate:
    """How far a run is, in words."""

    clock: Callable[[], float] = time.monotonic
    begun: tuple[float, int] | None = None  # when it was first told, and what was done by then

    def words(self, done: int, errors: int, to_do: int, *, is_all: bool) -> str:
        """Write how many photos are done, how fast, for how long yet, and how many are errors."""
        now = self.clock()
        if self.begun is None:  # not before: starting a cluster is no work
            self.begun = now, done
        seconds, since = now - self.begun[0], done - self.begun[1]
        text = f"{done:,} of {to_do:,}{'' if is_all else ' listed so far'}"
        if since and seconds > 0:
            rate = since / seconds
            text += f", {rate:,.0f} photos/s"
            if is_all and done < to_do:
                text += f", {duration((to_do - done) / rate)} left"
        return f"{text}, {errors:,} {'error' if errors == 1 else 'errors'}"


class Lines:
    """Writes a line a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rate = Rate(clock)
        self._next = clock() + _LINE_EVERY

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        words = self._rate.words(done, errors, to_do, is_all=is_all)
        if self._clock() >= self._next:
            self._next = self._clock() + _LINE_EVERY
            echo(f"Archive: {words}", err=True)


@contextmanager
def shown() -> Iterator[Lines | Bar]:
    """Return what shows progress where standard error goes."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("Archive"), BarColumn(), TextColumn("{task.description}")
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # else a file or pipe would get nothing
    ) as bars:
        task = bars.add_task("listing", total=None)

        def show(words: str, done: int, total: int | None) -> None:
            bars.update(task, description=words, completed=done, total=total)

        yield Bar(show)


class Bar:
    """Shows a bar, which has no end until everything is listed."""

    def __init__(self, show: Callable[[str, int, int | None], None]) -> None:
        self._show = show
        self._rate = Rate()

    def on_progress(self, done: int, errors: int, to_do: int, *, is_all: bool) -> None:
        words = self._rate.words(done, errors, to_do, is_all=is_all)
        self._show(words, done, to_do if is_all else None)
