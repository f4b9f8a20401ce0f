"""Where photos come from and what they show, by a sources.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageRefused
from core.paths import display

SOURCES = "sources.csv"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of one photo."""

    source: str | None = None
    kind: str | None = None  # what it shows beyond its class


def read_sources(file: Path) -> dict[str, Origin]:
    """Read a table with the columns `file`, `source` and, if wanted, `kind`.

    `file` is a path below the folder of class folders, with `/`. Raises UsageRefused.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if not {"file", "source"} <= set(table.fieldnames or ()):
                raise UsageRefused(
                    f"{display(file)} must have the columns file and source in its first line."
                )
            return {
                row["file"]: Origin(row["source"] or None, row.get("kind") or None) for row in table
            }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageRefused(f"{display(file)} cannot be read as a table: {error}.") from error
