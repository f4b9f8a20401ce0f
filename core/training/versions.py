"""Which versions of packages made a model."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Name the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as tensorflow-cpu in tensorflow's place
            continue
    return found
