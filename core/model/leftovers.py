"""What killed trainings and prunings leave among the models."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from core.model.network import NETWORKS
from core.model.registry import UNFINISHED

RUN = "run.json"  # in a run that can be gone on with
_STILL_SECONDS = 24 * 3600  # a run writes far more often


def prune_leftovers(models_dir: Path) -> list[str]:
    """Delete what nobody writes to or goes on with: of unfinished runs all but the newest.

    What was touched within a day is spared: it may be at work. Returns the names.
    """
    runs = sorted((models_dir / UNFINISHED).glob(f"*/{RUN}"))
    newest = runs[-1].parent if runs else None
    found = [
        *(models_dir / UNFINISHED).glob("*"),
        *models_dir.glob("pruned-*"),
        *models_dir.glob("*.part"),
        *(models_dir / NETWORKS).glob("*.part"),
    ]
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
