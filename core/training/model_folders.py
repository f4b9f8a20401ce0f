"""Folders among a person's models: for work, for finished models, for the networks they share."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path

from core.model.manifest import Manifest
from core.model.network import NETWORKS, Network
from core.model.registry import UNFINISHED

_DISTRIBUTIONS = {"catdog": "catdog-photos"}  # where the name on PyPI is another


@contextmanager
def work_folder(models_dir: Path) -> Iterator[Path]:
    """Make a folder on the models' disk for as long as a training takes."""
    unfinished = models_dir / UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="head-", dir=unfinished))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def with_new_version(manifest: Manifest, models_dir: Path) -> Manifest:
    """Number the version on where the same photos made the same model on the same day."""
    names = (f"{manifest.version}-{number}" for number in count(2))
    name = manifest.version
    while (models_dir / name).exists():
        name = next(names)
    return replace(manifest, version=name)


def put_in_place(staged: Path, folder: Path) -> Path:
    """Move a finished folder to its place, which is new or empty, whole, from any disk."""
    if folder.exists():
        folder.rmdir()  # it is empty: anything else was refused at the start
    arriving = _arriving(folder)
    shutil.move(staged, arriving)
    return arriving.rename(folder)


def keep_network(network: Network, models_dir: Path) -> None:
    """Copy a network beside the person's models, if it is not there, whole or not at all."""
    folder = models_dir / NETWORKS / network.info.sha256
    if not folder.exists():
        shutil.copytree(network.folder, _arriving(folder)).rename(folder)


def _arriving(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    arriving = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(arriving, ignore_errors=True)
    return arriving


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of those of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(_DISTRIBUTIONS.get(package, package))
        except PackageNotFoundError:  # such as tensorflow-cpu in tensorflow's place
            continue
    return found
