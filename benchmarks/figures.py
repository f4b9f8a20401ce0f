"""Figures, each with its spread and the line that it must reach, and how ratios are measured."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Line(Enum):
    """Which side of its limit a figure must be on."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured once a round; its median counts."""

    row: int
    what: str
    values: tuple[float, ...]
    unit: str = "times"
    line: Line | None = None  # None: only told
    limit: float = 0.0
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        if self.line is None:
            return True
        if self.line is Line.AT_LEAST:
            return self.median >= self.limit
        return self.median <= self.limit


def in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, tuple[float, ...]]:
    """Measure each way once a round, so that what slows the machine slows them alike.

    Every other round goes backwards. Returns: what each gave, by round.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    for one in range(rounds):
        for name in reversed(list(ways)) if one % 2 else ways:
            gc.collect()
            found[name].append(ways[name]())
    return {name: tuple(values) for name, values in found.items()}


def ratios(slow: Sequence[float], fast: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round."""
    return tuple(one / other for one, other in zip(slow, fast, strict=True))


def milliseconds(seconds: Iterable[float]) -> str:
    """Write the median of some times for a note."""
    return f"{statistics.median(seconds) * 1e3:.3g} ms"
