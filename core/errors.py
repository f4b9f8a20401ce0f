"""What can go wrong, with the exit code each failure carries and what to do about it."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any


class ExitCode(IntEnum):
    """Exit codes of the `catdog` command; docs/commands.md lists them for its users."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    MODEL = 3
    EXTRA_MISSING = 4
    BUSY = 5
    INTERRUPTED = 130


class CatdogError(Exception):
    """A failure that a person can do something about; the text says what."""

    exit_code = ExitCode.SOME_FAILED

    def __reduce__(self) -> tuple[Any, ...]:
        """Let pickle restore an error of any kind, whatever its `__init__` takes."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[CatdogError], args: tuple[object, ...]) -> CatdogError:
    return kind.__new__(kind, *args)


class UsageRefused(CatdogError):
    """What was asked for makes no sense, or is not safe for the photos."""

    exit_code = ExitCode.USAGE


class ModelRefused(CatdogError):
    """A model is missing, incomplete or not the one that its manifest names."""

    exit_code = ExitCode.MODEL


class ExtraMissing(CatdogError):
    """The command needs packages that the base install does not bring."""

    exit_code = ExitCode.EXTRA_MISSING


def install_command(extra: str) -> str:
    """Return what installs an extra, in catdog's folder."""
    return f"pip install '.[{extra}]'"


class UnreadableCode(StrEnum):
    """Why a file cannot be read as a photo; stands in `--json` output."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_AN_IMAGE = "not-an-image"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    NO_PERMISSION = "no-permission"
    VANISHED = "vanished"
    IO_ERROR = "io-error"


class UnreadableImage(CatdogError):
    """One file cannot be decoded in full; the others go on."""

    def __init__(self, code: UnreadableCode, message: str) -> None:
        super().__init__(message)
        self.code = code
