"""What people see: lines, and a progress bar where there is a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol


class Console(Protocol):
    """Where long work tells how it goes."""

    def say(self, line: str) -> None:
        """Tell one line."""

    def progress(self, what: str, total: float) -> AbstractContextManager[Callable[[float], None]]:
        """Show a bar; entering it gives a function that is told how much is done in all."""


def echo(line: str, *, err: bool = False) -> None:
    """Print a line, above a progress bar where there is one."""
    # click's echo finds its way past what rich has put in the place of sys.stdout
    stream = sys.stderr if err else sys.stdout
    if stream is not None:  # Windows' pythonw has neither
        stream.write(line + "\n")
        stream.flush()


class Terminal:
    """Lines on standard output, bars on standard error and only if it is a terminal."""

    def say(self, line: str) -> None:
        echo(line)

    @contextmanager
    def progress(self, what: str, total: float) -> Iterator[Callable[[float], None]]:
        if sys.stderr is None or not sys.stderr.isatty():
            yield lambda done: None
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


class Hushed:
    """A console that tells no lines; bars are as ever."""

    def __init__(self, console: Console) -> None:
        self.progress = console.progress

    def say(self, line: str) -> None:
        """Tell nothing."""


def count_up(told: Callable[[float], None]) -> Callable[[], None]:
    """Make a function that tells a progress bar of one more, each time it is called."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        told(done)

    return one_more


def print_json(value: dict[str, Any]) -> None:
    """Print one object on a line, in ASCII: paths that are not UTF-8 keep surrogate escapes."""
    echo(json.dumps(value))
