"""Finds what a run has filed where it stands now: touched, tagged, or in a renamed folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from core.store.database import Store, columns_below, from_column
from sorter.digests import has_same_bytes, has_same_pixels
from sorter.identity import FileIdentity, regular
from sorter.journal.journal import PlannedMove, read_moves


class LeftBecause(StrEnum):
    """Why a photo is not put back."""

    CHANGED = "changed"
    MOVED = "moved"  # by the person, or removed
    PLACE_TAKEN = "place-taken"
    FOLDER_GONE = "folder-gone"
    ORIGINAL_GONE = "original-gone"  # of a copy, which is then all there is


class Files:
    """The files below a folder by name and size, listed when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: defaultdict[tuple[str, int], list[Path]] | None = None

    def like(self, move: PlannedMove) -> list[Path]:
        """List files of a move's name and size."""
        if self._files is None:
            self._files = defaultdict(list)
            for folder, _, names in os.walk(self._folder):
                for name in names:
                    seen = regular(Path(folder, name))
                    if seen is not None:
                        self._files[name, seen.size].append(Path(folder, name))
        return self._files.get((move.destination.name, move.identity.size), [])


class FoundAgain:
    """What was filed into a destination, as it stands there now."""

    def __init__(self, store: Store, destination: Path) -> None:
        self._store = store
        self._files = Files(destination)

    def group(self, group: Sequence[PlannedMove]) -> list[PlannedMove] | LeftBecause:
        """Give the moves of a photo and its sidecars with where these stand now, the photo first.

        It is found in another place only if its whole folder is: what a person has moved alone
        was moved on purpose.
        """
        photo = group[0]
        if os.path.lexists(photo.destination) or os.path.lexists(photo.destination.parent):
            return list(group)
        for path in self._files.like(photo):
            if is_it(photo, path) and not self._is_filed_into(path.parent):
                return [
                    replace(move, destination=path.parent / move.destination.name) for move in group
                ]
        return LeftBecause.MOVED

    def _is_filed_into(self, folder: Path) -> bool:
        """Tell whether a folder is one of catdog's own, where only a person's hand puts photos."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT 1 FROM moves WHERE dst >= ? AND dst < ? AND undoes IS NULL LIMIT 1",
                columns_below(folder),
            ).fetchone()
        return row is not None


def is_it(move: PlannedMove, path: Path) -> bool:
    """Tell whether a file is what was filed, touched since or not. Raises OSError."""
    seen = regular(path)
    if seen is None or seen.size != move.identity.size:
        return False
    return move.is_as_filed(seen) or has_same_bytes(path, move.sha256)


def unchanged(move: PlannedMove) -> FileIdentity | LeftBecause:
    """Look whether what was filed still stands there: the same bytes, or but for tags the same."""
    seen = regular(move.destination)
    if seen is None:
        return LeftBecause.CHANGED if os.path.lexists(move.destination) else LeftBecause.MOVED
    try:
        if is_it(move, move.destination) or has_same_pixels(move.destination, move.pixels):
            return seen
    except OSError:
        return LeftBecause.CHANGED
    return LeftBecause.CHANGED


def groups_in_renamed(store: Store, folder: Path) -> set[int]:
    """Find the groups whose photo stands in a folder that was called otherwise when it was filed.

    Raises StoreUnusable.
    """
    files, groups = Files(folder), set()
    with store.reading() as db:
        rows = db.execute(
            "SELECT moves.id, dst, destination FROM moves JOIN runs ON runs.id = run"
            " WHERE state = 'done' AND undoes IS NULL AND moves.id = group_id"
        ).fetchall()
        for row in rows:
            if not os.fsencode(folder).startswith(row["destination"] + os.fsencode(os.sep)):
                continue
            if not os.path.lexists(from_column(row["dst"]).parent):
                (move,) = read_moves(db, "id = ?", (row["id"],))
                if any(is_it(move, path) for path in files.like(move)):
                    groups.add(move.group_id)
    return groups
