"""Finding what a run has filed: touched, tagged, or in a renamed folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from core.store.database import Store, columns_below, from_column
from sorter.digests import has_same_pixels, sha256_of
from sorter.identity import FileIdentity, regular
from sorter.journal.moves import IN_PLACE, Group, PlannedMove, has_move, read_moves


class LeftBecause(StrEnum):
    """Why a photo is not put back."""

    CHANGED = "changed"
    MOVED = "moved"  # by the person, or removed
    PLACE_TAKEN = "place-taken"
    FOLDER_GONE = "folder-gone"
    ORIGINAL_GONE = "original-gone"  # of a copy, which is then all there is


def _files_below(folder: Path) -> Mapping[str, list[Path]]:
    """Return the files below a folder by name."""
    files: defaultdict[str, list[Path]] = defaultdict(list)
    for here, _, names in os.walk(folder):
        for name in names:
            files[name].append(Path(here, name))
    return files


class FoundAgain:
    """What was filed into a destination, as it stands there now."""

    def __init__(self, store: Store, destination: Path) -> None:
        self._store = store
        self._destination = destination
        self._renamed: dict[Path, Path] = {}  # folders that were filed into, to what they are now

    @cached_property
    def _files(self) -> Mapping[str, list[Path]]:
        return _files_below(self._destination)

    def group(self, group: Group) -> Group | LeftBecause:
        """Return the moves of a photo and its sidecars with where these stand now, the photo first.

        It is found in another place only if its whole folder is: what a person has moved alone
        was moved on purpose.
        """
        photo = group[0]
        if os.path.lexists(photo.destination):
            return group
        for path in self._files.get(photo.destination.name, ()):
            if _shows(photo, path) and self._is_renamed(photo, path.parent):
                return [
                    replace(move, destination=path.with_name(move.destination.name))
                    for move in group
                ]
        return LeftBecause.MOVED

    def _is_renamed(self, photo: PlannedMove, folder: Path) -> bool:
        """Return whether a folder is the one that a photo was filed into, under another name."""
        was = photo.destination.parent
        if self._renamed.get(was) == folder:
            return True
        if self._is_filed_into(folder):
            return False
        if os.path.lexists(was) and not self._have_all_left(photo, folder):
            return False
        self._renamed[was] = folder
        return True

    def _have_all_left(self, photo: PlannedMove, folder: Path) -> bool:
        """Return whether all that was filed with a photo, or before it, now stands in `folder`.

        Then its folder was renamed, and made anew since. One photo alone does not show that.
        """
        was = photo.destination.parent
        with self._store.reading() as db:
            rows = db.execute(
                f"SELECT dst FROM moves WHERE {IN_PLACE} AND run <= ? AND dst >= ? AND dst < ?",
                (photo.run, *columns_below(was)),
            )
            filed = [
                path for path in (from_column(row["dst"]) for row in rows) if path.parent == was
            ]
        return len(filed) > 1 and all(
            os.path.lexists(folder / path.name) and not os.path.lexists(path) for path in filed
        )

    def _is_filed_into(self, folder: Path) -> bool:
        """Return whether a folder is one that photos are filed into."""
        where = "dst >= ? AND dst < ? AND undoes IS NULL"
        return has_move(self._store, where, columns_below(folder))


def is_it(move: PlannedMove, path: Path) -> bool:
    """Return whether a file is what was filed, touched since or not. Raises OSError."""
    identity = regular(path)
    if identity is None or identity.size != move.identity.size:
        return False
    if move.is_as_filed(identity):
        return True
    return move.sha256 is not None and sha256_of(path) == move.sha256


def unchanged(move: PlannedMove) -> FileIdentity | LeftBecause:
    """Return what was filed if it still stands: the same bytes, or but for tags the same."""
    identity = regular(move.destination)
    if identity is None:
        return LeftBecause.CHANGED if os.path.lexists(move.destination) else LeftBecause.MOVED
    return identity if _shows(move, move.destination) else LeftBecause.CHANGED


def _shows(move: PlannedMove, path: Path) -> bool:
    """Return whether a file is what was filed, or the same but for its tags."""
    with suppress(OSError):
        return is_it(move, path) or (
            regular(path) is not None and has_same_pixels(path, move.pixels)
        )
    return False


def groups_in_renamed(store: Store, folder: Path) -> set[int]:
    """Return the groups whose photo stands in a folder that was called otherwise when it was filed.

    Raises StoreUnusable.
    """
    moves: list[PlannedMove] = []
    with store.reading() as db:
        rows = db.execute(
            "SELECT moves.id, dst, destination FROM moves JOIN runs ON runs.id = run"
            " WHERE state = 'done' AND undoes IS NULL AND moves.id = group_id"
        ).fetchall()
        for row in rows:
            is_below = os.fsencode(folder).startswith(row["destination"] + os.fsencode(os.sep))
            if is_below and not os.path.lexists(from_column(row["dst"])):
                moves += read_moves(db, "id = ?", (row["id"],))
    files = _files_below(folder) if moves else {}
    return {
        move.group_id
        for move in moves
        if any(_shows(move, path) for path in files.get(move.destination.name, ()))
    }
