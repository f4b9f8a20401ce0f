"""Which model serves: promoting one, taking that back, and throwing old ones away."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import CatdogError, UsageRefused
from core.model.classifier import Classifier
from core.model.manifest import MANIFEST, Manifest, read_manifest
from core.model.network import NETWORKS
from core.model.registry import (
    COMES_WITH_CATDOG,
    DEFAULT_MODEL,
    PROMOTED,
    RUN,
    UNFINISHED,
    promoted_version,
)
from core.runtime.atomic_write import write_atomically

_HISTORY = "promotions.txt"  # what was promoted, a version a line, the last one last
_IN_USE = "in-use"  # a lock for each process and model
_STILL_SECONDS = 24 * 3600  # an unfinished run writes far more often


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that can be promoted, or the reason why it cannot."""

    name: str
    folder: Path
    manifest: Manifest | CatdogError
    is_promoted: bool

    def checked(self) -> Manifest:
        """Return the manifest. Raises ModelRefused where there is none to serve by."""
        if isinstance(self.manifest, CatdogError):
            raise self.manifest
        return self.manifest


def list_models(models_dir: Path) -> Iterator[StoredModel]:
    """List the model that comes with catdog, then the person's own, by name."""
    promoted = promoted_version(models_dir)
    yield StoredModel(COMES_WITH_CATDOG, DEFAULT_MODEL, _manifest(DEFAULT_MODEL), promoted is None)
    for folder in sorted(path.parent for path in models_dir.glob(f"*/{MANIFEST}")):
        if folder.name != UNFINISHED:
            yield StoredModel(folder.name, folder, _manifest(folder), folder.name == promoted)


def find_stored(models_dir: Path, name: str) -> StoredModel:
    """Find a model by its name. Raises UsageRefused."""
    names = []
    for model in list_models(models_dir):
        if model.name == name:
            return model
        names.append(model.name)
    raise UsageRefused(f"There is no model {name!r}. There are: {', '.join(names)}.")


def promote(models_dir: Path, name: str) -> str:
    """Make a model serve, from the next photo on wherever catdog runs.

    It is loaded first: one that is broken is never promoted. Returns the name of the one before.
    Raises UsageRefused and ModelRefused.
    """
    with _locked(models_dir):
        before = promoted_version(models_dir) or COMES_WITH_CATDOG
        _serve(models_dir, name, [*_history(models_dir), name])
    return before


def roll_back(models_dir: Path) -> str:
    """Make the model serve again that served before the last promotion.

    Returns its name. Raises UsageRefused if there is none that can, and ModelRefused.
    """
    with _locked(models_dir):
        history = _history(models_dir)
        if not history:
            raise UsageRefused("No model was promoted yet: there is nothing to roll back.")
        before = history[-2] if len(history) > 1 else COMES_WITH_CATDOG
        _serve(models_dir, before, history[:-1])
    return before


@contextmanager
def _locked(models_dir: Path) -> Iterator[None]:
    """Keep what is promoted as it is while it is read, changed and pruned."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(models_dir / f"{PROMOTED}.lock"):
        yield


def _serve(models_dir: Path, name: str, history: list[str]) -> None:
    """Point to a model once it has loaded. Raises UsageRefused and ModelRefused."""
    model = find_stored(models_dir, name)
    model.checked()
    Classifier(model.folder)
    if name == COMES_WITH_CATDOG:
        (models_dir / PROMOTED).unlink(missing_ok=True)
    else:
        write_atomically(models_dir / PROMOTED, f"{name}\n")
    write_atomically(models_dir / _HISTORY, "".join(f"{one}\n" for one in history))


def prune(models_dir: Path, *, keep: int) -> list[str]:
    """Delete the person's own models but the `keep` newest, and any that may be wanted yet.

    Those are the promoted one, the one that a rollback promotes, and those in use. Networks that
    no model names any more go with them, and what killed trainings left. Returns the names of
    what is deleted.
    """
    with _locked(models_dir):
        spared = {promoted_version(models_dir), *_history(models_dir)[-2:]}
        own = [model for model in list_models(models_dir) if model.folder != DEFAULT_MODEL]
        own.sort(key=_created)
        deleted = _prune_leftovers(models_dir)
        for model in own[: max(0, len(own) - keep)]:
            if model.name not in spared and not _is_in_use(models_dir, model.name):
                _delete(model.folder, models_dir)
                deleted.append(model.name)
        _prune_networks(models_dir)
    return deleted


def _prune_leftovers(models_dir: Path) -> list[str]:
    """Delete what killed trainings and prunings left, but for the newest run that can be resumed.

    What was touched within a day is spared: it may be at work.
    """
    runs = sorted((models_dir / UNFINISHED).glob(f"*/{RUN}"))
    newest = runs[-1].parent if runs else None
    found = (
        *(models_dir / UNFINISHED).glob("*"),
        *models_dir.glob("pruned-*"),
        *models_dir.glob("*.part"),
        *(models_dir / NETWORKS).glob("*.part"),
    )
    deleted = []
    for folder in sorted(found):
        if folder != newest and folder.is_dir() and _is_still(folder):
            shutil.rmtree(folder, ignore_errors=True)
            deleted.append(folder.name)
    return deleted


def _is_still(folder: Path) -> bool:
    latest = folder.stat().st_mtime
    for path in folder.rglob("*"):
        with suppress(OSError):
            latest = max(latest, path.stat().st_mtime)
    return time.time() - latest > _STILL_SECONDS


def _prune_networks(models_dir: Path) -> None:
    """Delete the networks that none of the models here names, unless one may want it yet."""
    manifests = [model.manifest for model in list_models(models_dir)]
    unfinished = models_dir / UNFINISHED
    if unfinished.is_dir() and any(unfinished.iterdir()):
        return  # what is being trained has its network here before it is here itself
    if any(isinstance(one, CatdogError) for one in manifests):
        return  # a broken model may need any of them
    named = {one.network for one in manifests if isinstance(one, Manifest)}
    for folder in (models_dir / NETWORKS).glob("*"):
        if folder.name not in named:
            _delete(folder, models_dir)


def _delete(folder: Path, models_dir: Path) -> None:
    """Delete a folder, under another name first: half a model must not look like one."""
    doomed = Path(tempfile.mkdtemp(prefix="pruned-", dir=models_dir))
    folder.rename(doomed / folder.name)
    shutil.rmtree(doomed)


def hold(models_dir: Path, folder: Path) -> FileLock | None:
    """Mark one of the person's own models as in use by this process, until the lock is released.

    Returns None for other models, and where there is no permission.
    """
    if folder.parent != models_dir:
        return None
    with suppress(OSError):
        (models_dir / _IN_USE).mkdir(exist_ok=True)
        lock = FileLock(models_dir / _IN_USE / f"{folder.name}.{os.getpid()}")
        lock.acquire()
        return lock
    return None


def _is_in_use(models_dir: Path, name: str) -> bool:
    for path in (models_dir / _IN_USE).glob(f"{name}.*"):
        try:
            with FileLock(path, timeout=0):
                pass
        except Timeout:
            return True
        with suppress(OSError):
            path.unlink()  # its process is gone
    return False


def _created(model: StoredModel) -> tuple[str, str]:
    is_broken = isinstance(model.manifest, CatdogError)
    return "" if is_broken else model.checked().created, model.name


def _manifest(folder: Path) -> Manifest | CatdogError:
    try:
        return read_manifest(folder)
    except CatdogError as error:
        return error


def _history(models_dir: Path) -> list[str]:
    try:
        return (models_dir / _HISTORY).read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
