"""Labels from a column of an archive's table, which a person corrected."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.archive.sources.source import is_remote
from core.archive.table import Table
from core.errors import UsageRefused
from core.labels import PhotoClass, classes_from_folders, in_order
from core.paths import display
from core.training.data.labelled import Fault, LabelledFolder, LabelledPhoto
from core.training.data.layout import known_folder
from core.training.data.stored_labels import Corrected


@dataclass(frozen=True, slots=True)
class _Row:
    path: Path
    folder: str  # the class folder that the label stands for
    size: int | None
    mtime_ns: int | None


def with_table(
    labelled: LabelledFolder, chosen: str, known: Sequence[PhotoClass] = ()
) -> Corrected:
    """Add the photos that a table's column labels; what it says wins over their folder.

    `chosen` is `TABLE:COLUMN`; rows without a label do not count. Labels count that the folders
    have, or that `known` classes have, and any if there are no folders. Raises UsageRefused.
    """
    rows = list(_labelled_rows(chosen))
    own = () if labelled.folder else classes_from_folders({row.folder for row in rows})
    classes = {one.folder: one for one in (*own, *known, *labelled.classes)}
    photos = {photo.path.absolute(): photo for photo in labelled.photos}
    added, missing = 0, 0
    faults: list[Fault] = []
    for row in rows:
        here, fault = _look(row)
        if not here:
            missing += 1
        elif fault is not None:
            faults.append(fault)
        elif row.folder not in classes:
            words = f"{display(row.path)} is called {row.folder}, which is not learnt here."
            faults.append(Fault(row.path, words))
        else:
            before, label = photos.get(row.path), classes[row.folder].label
            if before is None or before.label != label:
                added += 1
                photos[row.path] = LabelledPhoto(before.path if before else row.path, label)
    learnt = labelled.labels | {photo.label for photo in photos.values()}
    if len(learnt) < 2:
        raise UsageRefused(f"{chosen} must label photos of two classes or more, such as cat, dog.")
    corrected = replace(
        labelled,
        photos=tuple(photos.values()),
        classes=in_order(one for one in classes.values() if one.label in learnt),
    )
    return Corrected(corrected, added, missing, tuple(faults))


def _look(row: _Row) -> tuple[bool, Fault | None]:
    """Return whether a photo is there, and a fault if it is not the one that has the label."""
    try:
        status = row.path.stat()
    except OSError:
        return False, None
    if row.size is not None and (status.st_size, status.st_mtime_ns) != (row.size, row.mtime_ns):
        return True, Fault(row.path, f"{display(row.path)} changed since it was labelled.")
    return True, None


def _labelled_rows(chosen: str) -> Iterator[_Row]:
    """Read the rows with a label, of photos on a disk. Raises UsageRefused."""
    address, _, column = chosen.rpartition(":")
    if not address or not column or "/" in column:
        raise UsageRefused(f"{chosen} must be TABLE:COLUMN, such as table:label.")
    for part in _parts(address):
        names = part.column_names
        if missing := {"path", column} - set(names):
            raise UsageRefused(
                f"{address} has no column {sorted(missing)[0]!r}; it has {', '.join(names)}."
            )
        wanted = ["path", column, *({"path_bytes", "size", "mtime_ns"} & set(names))]
        for row in part.select(wanted).to_pylist():
            label = str(row[column] or "").strip()
            if label and not is_remote(row["path"]):
                key = row.get("path_bytes") or row["path"].encode()
                yield _Row(
                    Path(os.fsdecode(key)), _folder_of(label), row.get("size"), row.get("mtime_ns")
                )


def _folder_of(label: str) -> str:
    """Return the class folder of a label as people write it: `cat`, `Cats`."""
    if set(label) & set("/\\\0"):
        raise UsageRefused(f"{label!r} is no name for a class.")
    return known_folder(label) or label


def _parts(address: str) -> Iterator[Any]:
    """Read a table part by part, or one Parquet file. Raises UsageRefused."""
    path = Path(address)
    if os.path.isfile(path):
        yield Table(str(path.absolute().parent)).read(path.name)
        return
    table = Table(address)
    parts = table.parts()
    if not parts:
        raise UsageRefused(f"{address} has no parts of a table. Check the name.")
    for part in parts:
        yield table.read(part)
