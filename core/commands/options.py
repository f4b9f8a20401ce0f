"""What the commands share: settings that several read, and how options are declared."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from core.store.database import Store

Command = TypeVar("Command", bound=Callable[..., Any])

# Every option can be set by an environment variable, which --help names.
option = functools.partial(click.option, show_envvar=True)


class Number(click.FloatRange):
    """A number between bounds; `nan` and `inf`, which pass every comparison or none, are none."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class FolderPath(click.Path):
    """A folder's path; an empty one, as of an unset variable, is not the current folder."""

    def __init__(self, *, file_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value):
            self.fail("An empty name is no folder. Say . for the current one.", param, ctx)
        return super().convert(value, param, ctx)


@dataclass(frozen=True, slots=True)
class Settings:
    """The options before the command on the command line."""

    models_dir: Path
    state_dir: Path
    # records what people moved by hand since it was filed; catdog.py takes it from the sorter
    notice: Callable[[Store, Path], object] = lambda store, models_dir: None


class ChatNumber(click.ParamType[int]):
    """One of Telegram's numbers of people and groups."""

    name = "number"

    def __init__(self, variable: str) -> None:
        """`variable` is the option's environment variable."""
        self._variable = variable

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            return int(str(value))
        except ValueError:
            self.fail(
                f"{value!r} is no number. {self._variable} takes numbers separated by spaces, "
                "such as 12345 67890; the option takes one, and can be given more than once.",
                param,
                ctx,
            )


pass_settings = click.make_pass_decorator(Settings)


def model_option(command: Command) -> Command:
    """Add --model, which every command that predicts has."""
    return option(
        "--model",
        "model_choice",
        envvar="CATDOG_MODEL",
        metavar="VERSION|FOLDER",
        help="Model to use: a version in the models folder, a model's folder, or `default`, which "
        "comes with catdog.  "
        "[default: the promoted one, else the one that comes with catdog]",
    )(command)


def threshold_option(command: Command) -> Command:
    """Add --threshold, which every command that decides has."""
    return option(
        "--threshold",
        envvar="CATDOG_THRESHOLD",
        type=Number(0, 1),
        help="Confidence from which on an answer is sure, 0 to 1; it can only raise what the model "
        "asks for in each class.  [default: the model's own]",
    )(command)


def json_option(command: Command) -> Command:
    """Add --json, whose variable is the command's own."""
    return option("--json", is_flag=True, help="Print one JSON object a line.")(command)
