"""The packages of the extras `archive` and `ray`, imported only where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from core.errors import ExtraMissing, install_command


def load(module: str, *, extra: str = "archive") -> Any:
    """Import a module of an extra. Raises ExtraMissing without it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        what = "--ray" if extra == "ray" else "An archive's table"
        raise ExtraMissing(
            f"{what} needs packages that are not installed ({error.name}). Run in catdog's folder: "
            f"{install_command(extra)}"
        ) from error


def file_system(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Raises ExtraMissing, UsageRefused.
    """
    from core.errors import UsageRefused

    core = load("fsspec.core")
    try:
        fs, path = core.url_to_fs(address)
    except ImportError as error:  # fsspec says which package, such as gcsfs
        raise ExtraMissing(f"{address} cannot be read: {error}. Install it with pip.") from error
    except ValueError as error:  # it knows no such protocol
        raise UsageRefused(f"{address} cannot be read: {error}.") from error
    return fs, path
