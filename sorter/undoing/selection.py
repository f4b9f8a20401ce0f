"""Which moves an undo is about: of a run, since a time, by name, or the last ones."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import UsageRefused
from core.store.database import Store, columns_below, to_column
from sorter.journal.found_again import groups_in_renamed
from sorter.journal.moves import IN_PLACE, Group, read_moves
from sorter.journal.run import UNDO, RunRecord, read_runs

_MOST_FOLDERS = 200  # SQLite nests 1,000 terms at most
_MOST_NAMES = 10_000  # SQLite takes 32,766 values in a query, and each name is compared thrice
_PLACES = ("src", "dst", "found_at")  # columns: where a photo was, was filed, and was moved to


# an undo also moves new sidecars, which no move of before put where they were
def newest_run(store: Store, *, before: RunRecord | None = None) -> RunRecord | None:
    """Return the newest run that is not undone, never an undo; of those before one, if it is given.

    It is that run even if nothing of it can be put back: an older one is not what was meant.
    """
    with store.reading() as db:
        runs = read_runs(
            db,
            "command <> ? AND id < ? AND EXISTS"
            " (SELECT 1 FROM moves WHERE run = runs.id AND state = 'done' AND undoes IS NULL)",
            (UNDO, before.id if before is not None else 2**62),
        )
    return runs[-1] if runs else None


def named_run(store: Store, number: int) -> RunRecord:
    """Return a run. Raises UsageRefused if there is none of that number, or it is an undo."""
    with store.reading() as db:
        runs = read_runs(db, "id = ?", (number,))
    if not runs:
        raise UsageRefused(f"There is no run {number}. `catdog history` lists them.")
    if runs[0].command == UNDO:
        raise UsageRefused(f"Run {number} is an undo itself. Sort the folder again instead.")
    return runs[0]


def groups_of(
    store: Store,
    *,
    run: int | None = None,
    since: float | None = None,
    photos: Sequence[Path] = (),
    last: int | None = None,
) -> Iterator[Group]:
    """Yield the groups of which something is in place as far as the journal knows, newest first.

    `photos` name files and folders as they are now or as they were; `since` is in seconds since
    1970. Raises UsageRefused.
    """
    wheres = [IN_PLACE]
    values: list[Any] = []
    if run is not None:
        wheres.append("run = ?")
        values.append(run)
    if since is not None:
        wheres.append("at >= ?")
        values.append(since)
    if photos:
        where, named = _condition_for(store, photos)
        wheres.append(where)
        values += named
    query = (
        f"SELECT group_id, min(id) AS first FROM moves WHERE {' AND '.join(wheres)}"
        " GROUP BY group_id ORDER BY max(id) DESC"
    )
    if last is not None:
        query += f" LIMIT {last:d}"
    with store.reading() as db:
        groups = [(row["group_id"], row["first"]) for row in db.execute(query, values)]
        for group, first in groups:
            if first == group or photos or last is not None:
                yield list(read_moves(db, f"group_id = ? AND {IN_PLACE}", (group,)))
            else:  # only sidecars of it are meant, which came after the photo had gone
                where = f"group_id = ? AND {' AND '.join(wheres)}"
                for sidecar in list(read_moves(db, where, (group, *values))):
                    yield [sidecar]


def _condition_for(store: Store, photos: Sequence[Path]) -> tuple[str, list[Any]]:
    """Return the condition, and its values, for moves of the files or folders of these names."""
    folders = [path for path in photos if not os.path.isfile(path)]
    if len(photos) > _MOST_NAMES or len(folders) > _MOST_FOLDERS:
        raise UsageRefused(
            f"{len(photos)} names are too many at once. Name fewer than {_MOST_FOLDERS // 2} "
            f"folders and {_MOST_NAMES // 2} photos, or use --since or --last."
        )
    marks = ", ".join("?" * len(photos))
    terms = [f"{column} IN ({marks})" for column in _PLACES]
    values: list[Any] = [to_column(photo) for photo in photos] * len(_PLACES)
    for folder in folders:
        for column in _PLACES:
            terms.append(f"({column} >= ? AND {column} < ?)")
            values += columns_below(folder)
        groups = groups_in_renamed(store, folder) if os.path.isdir(folder) else ()
        terms += [f"group_id IN ({', '.join(f'{group:d}' for group in groups)})"] if groups else []
    return f"({' OR '.join(terms)})", values
