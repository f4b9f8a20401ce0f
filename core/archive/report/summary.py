"""Counts of a table by verdict, model, error and month, and a few photos of each, in one pass."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.archive.table import Table
from core.model.verdict import VerdictKind

ERROR = "error"  # the group of photos that could not be read
UNSURE = VerdictKind.UNSURE.value
SAMPLES = 12  # photos of each group
UNSURE_SAMPLES = 48
UNDATED = ""  # the month of photos that do not say when they were taken
_COLUMNS = [
    *("path", "path_bytes", "etag", "size", "mtime_ns", "verdict", "label", "confidence"),
    *("probabilities", "taken", "error", "model_version", "seconds"),
]


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo of a group."""

    path: str
    key: bytes
    size: int | None
    label: str | None
    confidence: float | None
    probabilities: tuple[tuple[str, float], ...]  # the likeliest first
    error: str | None


@dataclass(slots=True)
class Summary:
    """What stands in a table. A group is a filed label, or the verdict, or `error`."""

    photos: int = 0
    seconds: float = 0.0  # of one core
    groups: Counter[str] = field(default_factory=Counter)
    filed: set[str] = field(default_factory=set)  # groups that are labels
    models: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    months: dict[str, Counter[str]] = field(default_factory=dict)  # "2024-05": groups
    samples: dict[str, list[Sample]] = field(default_factory=dict)  # by group

    @property
    def dated(self) -> list[str]:
        """The months that photos were taken in, the first first."""
        return sorted(month for month in self.months if month != UNDATED)


def summarize(table: Table) -> Summary:
    """Read a table part by part; it may be one that grows. Raises UsageRefused."""
    summary = Summary()
    kept: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
    for part in table.parts():
        columns = table.read(part, _COLUMNS).to_pydict()
        for values in zip(*columns.values(), strict=True):
            row = dict(zip(columns, values, strict=True))
            group = _count(row, summary)
            _keep(row, kept.setdefault(group, []), _most(group), summary.photos)
    for group, rows in kept.items():
        summary.samples[group] = sorted(
            (_sample(row) for _, _, row in rows), key=lambda one: (-(one.confidence or 0), one.path)
        )
    return summary


def _most(group: str) -> int:
    return UNSURE_SAMPLES if group == UNSURE else SAMPLES


def _count(row: dict[str, Any], summary: Summary) -> str:
    """Count a row, and name its group."""
    summary.photos += 1
    summary.seconds += row["seconds"]
    summary.models[row["model_version"]] += 1
    if row["error"] is not None:
        summary.errors[row["error"]] += 1
        group = ERROR
    elif row["verdict"] == VerdictKind.FILED:
        group = row["label"]
        summary.filed.add(group)
    else:
        group = row["verdict"]
    summary.groups[group] += 1
    month = UNDATED if row["taken"] is None else f"{row['taken']:%Y-%m}"
    summary.months.setdefault(month, Counter())[group] += 1
    return group


def _keep(
    row: dict[str, Any], kept: list[tuple[int, int, dict[str, Any]]], most: int, number: int
) -> None:
    """Keep a photo if chance wants it, which goes by its name: the same ones each time."""
    chance = -zlib.crc32(row["path"].encode())
    if len(kept) < most:
        heapq.heappush(kept, (chance, number, row))
    elif chance > kept[0][0]:
        heapq.heapreplace(kept, (chance, number, row))


def _sample(row: dict[str, Any]) -> Sample:
    return Sample(
        path=row["path"],
        key=row["path"].encode() if row["path_bytes"] is None else row["path_bytes"],
        size=row["size"],
        label=row["label"],
        confidence=row["confidence"],
        probabilities=tuple(_likeliest_first(row["probabilities"] or ())),
        error=row["error"],
    )


def _likeliest_first(probabilities: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(probabilities, key=lambda one: -one[1])
