"""Where models are kept, and which one serves."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import CatdogError, ModelRefused
from core.model.manifest import MANIFEST, OldFormat, old_class_folders, read_manifest
from core.model.network import NETWORKS
from core.paths import display

log = logging.getLogger(__name__)

DEFAULT_MODEL = Path(__file__).resolve().parents[2] / "models" / "default"
PROMOTED = "promoted"
COMES_WITH_CATDOG = "default"  # what people call the model that is not in their folder
UNFINISHED = "unfinished"
RUN = "run.json"  # in the folder of an unfinished run that can be resumed
OWN_NETWORK = "network"  # folder of a model that carries its network


def find_model(models_dir: Path, choice: str | None = None) -> Path:
    """Find the folder of the model to serve.

    `choice` is a model's folder, a version in `models_dir` or `default`; without it the promoted
    version serves, and without one, or where an older catdog made it, the model that comes with
    catdog.
    Raises ModelRefused.
    """
    if choice is None:
        choice = promoted_version(models_dir)
        if choice is None:
            return DEFAULT_MODEL
        if _is_old(models_dir / choice):
            log.warning(
                "The promoted model %s was made by an older catdog: the one that comes with "
                "catdog serves. Train again, or `catdog models promote default`.",
                choice,
            )
            return DEFAULT_MODEL
    for folder in (models_dir / choice, Path(choice)):
        if os.path.isfile(folder / MANIFEST):
            return folder
    if choice == COMES_WITH_CATDOG:
        return DEFAULT_MODEL
    raise ModelRefused(
        f"There is no model {choice!r}: it is neither a version in {display(models_dir)} nor a "
        f"folder with a {MANIFEST}, nor `default`."
    )


def network_folders(model: Path, sha256: str) -> tuple[Path, ...]:
    """Return where the network of a model may be: with it, beside it, or with catdog.

    A model that is not finished lies two folders deeper.
    """
    beside = (parent / NETWORKS / sha256 for parent in model.absolute().parents[:3])
    return (model / OWN_NETWORK, *beside, DEFAULT_MODEL / OWN_NETWORK)


def _is_old(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except ModelRefused as error:
        return isinstance(error, OldFormat)
    return False


def promoted_version(models_dir: Path) -> str | None:
    """Read the pointer to the version that serves by default, if there is one."""
    try:
        return (models_dir / PROMOTED).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def class_folders(models_dir: Path) -> frozenset[str]:
    """Return the names of all folders that any of the models here puts photos into, or once did."""
    names = {"cats", "dogs", "other"}  # the default model's, which has always been there
    for folder in _model_folders(models_dir):
        try:
            names.update(photo_class.folder for photo_class in read_manifest(folder).with_folders)
        except OldFormat:
            names.update(old_class_folders(folder))  # it files no more, but what it filed is there
        except CatdogError:
            continue  # a broken model files nothing
    return frozenset(names)


def _model_folders(models_dir: Path) -> Iterator[Path]:
    yield DEFAULT_MODEL
    if models_dir.is_dir():
        yield from (path.parent for path in models_dir.glob(f"*/{MANIFEST}"))
