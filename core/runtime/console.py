"""What people are shown: lines, and a progress bar where there is a terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from core.runtime.durations import duration

_LINE_SECONDS = 300.0  # between the lines in a log of long work


class Console(Protocol):
    """Where long work shows its progress."""

    def say(self, line: str) -> None:
        """Show one line."""

    def progress(self, what: str, total: float) -> AbstractContextManager[Callable[[float], None]]:
        """Show a bar; entering it returns a function to call with how much is done in all."""


def echo(line: str, *, err: bool = False) -> None:
    """Print a line, above a progress bar where there is one."""
    # click's echo finds its way past what rich has put in the place of sys.stdout
    stream = sys.stderr if err else sys.stdout
    if stream is not None:  # Windows' pythonw has neither
        stream.write(line + "\n")
        stream.flush()


class Terminal:
    """Lines on standard output, bars on standard error; if that is no terminal, a line at times."""

    def say(self, line: str) -> None:
        echo(line)

    @contextmanager
    def progress(self, what: str, total: float) -> Iterator[Callable[[float], None]]:
        if sys.stderr is None or not sys.stderr.isatty():
            yield _lines(what, total)
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=RichConsole(stderr=True),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # else a file or pipe would get nothing
        )
        with bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)


def _lines(what: str, total: float) -> Callable[[float], None]:
    """Make a function to call with how much is done, for a line in a log every few minutes."""
    begun = last = time.monotonic()
    before: float | None = None  # done when it began: more than nothing if a run goes on

    def on_progress(done: float) -> None:
        nonlocal last, before
        if before is None:
            before = done
        now = time.monotonic()
        if now - last < _LINE_SECONDS or done <= before:
            return
        last = now
        left = (now - begun) * (total - done) / (done - before)
        echo(f"{what}: {done / total:.0%}, about {duration(left)} left", err=True)

    return on_progress


def count_up(on_progress: Callable[[float], None]) -> Callable[[], None]:
    """Make a function that counts one more each time it is called, for a progress bar."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        on_progress(done)

    return one_more


def print_json(value: dict[str, Any]) -> None:
    """Print one object on a line, in ASCII: paths that are not UTF-8 keep surrogate escapes."""
    echo(json.dumps(value))
