"""Files and folders that a command writes where a person asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UsageRefused
from core.paths import display


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into UsageRefused."""
    try:
        yield
    except FileExistsError as error:
        raise UsageRefused(f"{display(path)} is there already. Name a new file.") from error
    except OSError as error:
        raise UsageRefused(f"{display(path)} cannot be written: {error.strerror}.") from error


def refuse_if_not_empty(folder: Path, option_name: str) -> None:
    """Raise UsageRefused for a folder with something in it, which might be overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageRefused(f"{display(folder)} is not empty. Name a new folder with {option_name}.")
