"""Where models live, and which one serves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import CatdogError, ModelRefused
from core.manifest import MANIFEST, read_manifest
from core.paths import display

DEFAULT_MODEL = Path(__file__).resolve().parent.parent / "models" / "default"
PROMOTED = "promoted"
UNFINISHED = "unfinished"


def find_model(models_dir: Path, choice: str | None = None) -> Path:
    """Find the folder of the model to serve.

    `choice` is a model's folder or a version in `models_dir`; without it the promoted version
    serves, and without one the model that comes with catdog. Raises ModelRefused.
    """
    if choice is None:
        choice = promoted_version(models_dir)
        if choice is None:
            return DEFAULT_MODEL
    for folder in (models_dir / choice, Path(choice)):
        if os.path.isfile(folder / MANIFEST):
            return folder
    raise ModelRefused(
        f"There is no model {choice!r}: it is neither a version in {display(models_dir)} nor a "
        f"folder with a {MANIFEST}."
    )


def promoted_version(models_dir: Path) -> str | None:
    """Read the pointer to the version that serves by default, if there is one."""
    try:
        return (models_dir / PROMOTED).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def class_folders(models_dir: Path) -> frozenset[str]:
    """Name every folder that any of the models here files into or sets apart."""
    names = {"cats", "dogs", "other"}  # the default model's, which has always been there
    for folder in _model_folders(models_dir):
        try:
            names.update(photo_class.folder for photo_class in read_manifest(folder).classes)
        except CatdogError:
            continue  # a broken model files nothing
    return frozenset(names)


def _model_folders(models_dir: Path) -> Iterator[Path]:
    yield DEFAULT_MODEL
    if models_dir.is_dir():
        yield from (path.parent for path in models_dir.glob(f"*/{MANIFEST}"))
