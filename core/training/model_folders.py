"""A finished model put where it is to be, whole or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

from core.model.manifest import Manifest


def with_new_version(manifest: Manifest, models_dir: Path) -> Manifest:
    """Number the version on where the same photos made the same model on the same day."""
    names = (f"{manifest.version}-{number}" for number in count(2))
    version = manifest.version
    while (models_dir / version).exists():
        version = next(names)
    return replace(manifest, version=version)


def arrive(staged: Path, folder: Path) -> Path:
    """Move a finished folder to its place, which is new or empty, perhaps on another disk."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rmdir()  # it is empty: anything else was refused at the start
    arriving = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.move(staged, arriving)
    arriving.rename(folder)
    return folder
