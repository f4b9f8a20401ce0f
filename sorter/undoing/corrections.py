"""Corrections: photos that catdog filed and a person has put into another class's folder."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import CatdogError
from core.model.manifest import read_manifest
from core.model.registry import find_model
from core.paths import display
from core.store.database import Store, columns_below, from_column, to_column
from core.store.feedback_table import Feedback, Source, record
from sorter.journal.found_again import is_it
from sorter.journal.moves import PlannedMove, read_moves

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Correction:
    """A photo that is somewhere else than catdog put it."""

    move: PlannedMove
    found_at: Path
    label: str  # of the folder that it is in now


def notice(store: Store, destination: Path, labels: Mapping[str, str]) -> list[Correction]:
    """Return photos that were filed below `destination` and stand in another class's folder now.

    `labels` gives the label of each class folder's name. Each is recorded as feedback, once for
    each place that the person puts it. A photo counts as the same by its size, its time of
    change or else its bytes, and its name or its inode. Raises StoreUnusable.
    """
    missing = _missing_below(store, destination)
    if not missing:
        return []
    standing = _standing_in(destination, labels)
    corrections = []
    for move in missing:
        try:
            found = _find(move, standing)
            if found is not None:
                before = _label_at(move.found_at or move.destination, destination, labels)
                path, label = found
                if _record(store, move, path, label if label != before else None):
                    corrections.append(Correction(move, path, label))
        except CatdogError:
            raise
        except Exception:  # a bug that one photo shows must not keep the others from being sorted
            log.exception("%s", display(move.destination))
    return corrections


def notice_everywhere(store: Store, models_dir: Path) -> None:
    """Notice corrections wherever anything was ever filed, by the model that serves.

    None are noticed if that model cannot be read. Raises StoreUnusable.
    """
    try:
        classes = read_manifest(find_model(models_dir)).with_folders
    except CatdogError:
        return
    labels = {one.folder: one.label for one in classes}
    with store.reading() as db:
        rows = db.execute("SELECT DISTINCT destination FROM runs").fetchall()
    for row in rows:
        notice(store, from_column(row["destination"]), labels)


def _missing_below(store: Store, destination: Path) -> list[PlannedMove]:
    """Return the photos filed below a folder that are not where the journal has them."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT id, coalesce(found_at, dst) AS path FROM moves WHERE dst >= ? AND dst < ?"
            " AND state = 'done' AND undoes IS NULL AND label IS NOT NULL",
            columns_below(destination),
        )
        gone = [row["id"] for row in rows if not os.path.lexists(row["path"])]
        return [move for id in gone for move in read_moves(db, "id = ?", (id,))]


def _label_at(path: Path, destination: Path, labels: Mapping[str, str]) -> str | None:
    try:
        return labels.get(path.relative_to(destination).parts[0])
    except (ValueError, IndexError):
        return None


def _standing_in(
    destination: Path, labels: Mapping[str, str]
) -> dict[str | int, list[tuple[Path, str]]]:
    """Return what stands in class folders, by name and by inode."""
    standing: dict[str | int, list[tuple[Path, str]]] = {}
    for folder, label in labels.items():
        waiting = [destination / folder]
        while waiting:
            with suppress(OSError), os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    path = Path(entry.path)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                        continue
                    for key in (entry.name, entry.inode()):  # neither reads the file itself
                        standing.setdefault(key, []).append((path, label))
    return standing


def _find(
    move: PlannedMove, standing: Mapping[str | int, list[tuple[Path, str]]]
) -> tuple[Path, str] | None:
    for key in (move.identity.inode, move.destination.name, move.source.name):
        for path, label in standing.get(key, ()):
            if is_it(move, path):
                return path, label
    return None


def _record(store: Store, move: PlannedMove, path: Path, label: str | None) -> bool:
    """Note where a photo is now, and as feedback its label if that is new; True if it is."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False  # it is being moved again: another time
    with store.writing() as db:
        db.execute(
            "UPDATE moves SET found_at = ?, sha256 = ? WHERE id = ?",
            (to_column(path), sha256, move.id),
        )
    if label is None:
        return False
    record(
        store,
        Feedback(
            source=Source.SORTER,
            sha256=sha256,
            label=label,
            predicted=move.label,
            confidence=move.confidence,
            model_version=move.model_version,
            path=path,
        ),
    )
    return True
