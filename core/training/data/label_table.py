"""A table of photos and their labels, where neither folders nor file names give them."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageRefused
from core.paths import display
from core.training.data.layout import find_photos, known_folder, part_of
from core.training.data.sources import SOURCES

_FILES = re.compile(r"(file|image|img|photo)?_?(name|path|id)?")
_LABELS = re.compile(r"(class|category|target|species|labels?)(_?name)?")


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The photos of a table, each with the folder that its label stands for, once."""

    photos: tuple[tuple[Path, str], ...]
    missing: int  # rows whose photo is not there


def find_label_table(folder: Path) -> Path | None:
    """Return the table of labels in a folder, or beside it if it is a part.

    Raises UsageRefused if there are several.
    """
    for place in (folder, folder.parent) if part_of(folder.name) else (folder,):
        tables = [
            path
            for path in sorted(place.glob("*.csv"))
            if path.name != SOURCES and path.is_file() and _columns(path)
        ]
        if len(tables) > 1:
            raise UsageRefused(
                f"{display(place)} holds several tables of labels. Name the one that counts: "
                f"catdog train {display(tables[0])}"
            )
        if tables:
            return tables[0]
    return None


def read_label_table(table: Path, below: Path) -> LabelTable:
    """Read a table with a column for the file and one for the label.

    Files are named by their path from the table, or by a name that only one photo `below` has,
    with its suffix or without. Raises UsageRefused.
    """
    columns = _columns(table)
    if columns is None:
        raise UsageRefused(
            f"{display(table)} must have the columns file and label in its first line, and a line "
            "for each photo."
        )
    delimiter, file_column, label_column = columns
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = [
            (str(row[file_column] or ""), str(row[label_column] or "").strip())
            for row in csv.DictReader(lines, delimiter=delimiter)
        ]
    labels = {label for _, label in rows}
    if any(label.isdecimal() for label in labels):
        raise UsageRefused(
            f"{display(table)} has numbers for labels ({', '.join(sorted(labels)[:4])}). Write "
            "what they stand for: cat, dog, other."
        )
    if bad := sorted(label for label in labels if not label or set(label) & set("/\\\0")):
        raise UsageRefused(f"{display(table)} has a label that is no name: {bad[0]!r}.")
    return _found(rows, table.parent, below)


def _found(rows: list[tuple[str, str]], base: Path, below: Path) -> LabelTable:
    by_name: defaultdict[str, list[Path]] = defaultdict(list)
    for photo in find_photos(below)[0]:
        for name in {photo.name, photo.stem}:
            by_name[name].append(photo)
    photos: dict[tuple[Path, str], None] = {}
    missing = 0
    for name, label in rows:
        path = base / name
        if not path.is_file():
            alike = by_name[Path(name).name]
            if len(alike) != 1:
                missing += 1
                continue
            (path,) = alike
        photos[path, known_folder(label) or label] = None
    return LabelTable(tuple(photos), missing)


def _columns(table: Path) -> tuple[str, str, str] | None:
    """Return the delimiter, and what the columns for file and label are called."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            first = lines.readline()
    except (OSError, UnicodeDecodeError):
        return None
    for delimiter in ",;\t":
        header = next(csv.reader([first], delimiter=delimiter), [])
        files = [
            name for name in header if name.strip() and _FILES.fullmatch(name.strip().casefold())
        ]
        labels = [name for name in header if _LABELS.fullmatch(name.strip().casefold())]
        if files and labels:
            return delimiter, files[0], labels[0]
    return None
