"""Corrections: photos that catdog filed and a person has put into another class's folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import CatdogError
from core.model.manifest import read_manifest
from core.model.registry import find_model
from core.store.database import Store, columns_below, from_column, to_column
from core.store.feedback_table import Feedback, Source, record
from sorter.digests import sha256_of
from sorter.journal.found_again import is_it
from sorter.journal.moves import PlannedMove, read_moves
from sorter.moving.failures import logged_bugs


def notice(store: Store, destination: Path, labels: Mapping[str, str]) -> list[PlannedMove]:
    """Record as feedback what was filed below `destination` and stands elsewhere in it now.

    That is done once for each place that the person puts a photo; if that is another class's
    folder, its move is returned with that label. `labels` gives the label of each class folder's
    name. A photo counts as the same by its size, its time of change or else its bytes, and its
    name or its inode. Raises StoreUnusable.
    """
    missing = _missing_below(store, destination)
    if not missing:
        return []
    standing = _standing_in(destination, labels)
    corrections = []
    for move in missing:
        with logged_bugs(move.destination):
            found_at = _find(move, standing)
            if found_at is not None:
                label = _label_at(found_at, destination, labels)
                before = _label_at(move.found_at or move.destination, destination, labels)
                is_new = label is not None and label != before
                if _record(store, move, found_at, label if is_new else None):
                    corrections.append(replace(move, label=label, found_at=found_at))
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


def _standing_in(destination: Path, folders: Iterable[str]) -> dict[str | int, list[Path]]:
    """Return what stands in class folders, by name and by inode."""
    standing: defaultdict[str | int, list[Path]] = defaultdict(list)
    waiting = [destination / folder for folder in folders]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                    continue
                for key in (entry.name, entry.inode()):  # neither reads the file itself
                    standing[key].append(Path(entry.path))
    return standing


def _find(move: PlannedMove, standing: Mapping[str | int, list[Path]]) -> Path | None:
    keys = (move.identity.inode, move.destination.name, move.source.name)
    places = (path for key in keys for path in standing.get(key, ()))
    return next((path for path in places if is_it(move, path)), None)


def _record(store: Store, move: PlannedMove, path: Path, label: str | None) -> bool:
    """Note where a photo is now, and as feedback its label if that is new; True if it is."""
    try:
        sha256 = sha256_of(path)
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
