"""Figures, each with its spread and the line that it must reach, and how ratios are measured."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Line:
    """What a figure must reach, or must not go over."""

    limit: float
    is_floor: bool

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.is_floor else value <= self.limit

    def __str__(self) -> str:
        return f"{'at least' if self.is_floor else 'at most'} {number(self.limit)}"


def at_least(limit: float) -> Line:
    return Line(limit, is_floor=True)


def at_most(limit: float) -> Line:
    return Line(limit, is_floor=False)


@dataclass(frozen=True, slots=True)
class KnownMiss:
    """Why a line is known not to hold, and the line that has to hold meanwhile."""

    meanwhile: Line
    reason: str


class Standing(Enum):
    """How a figure stands to its line, as RESULTS.md has it."""

    WITHOUT_LINE = ""
    HOLDS = "yes"
    KNOWN_MISS = "known"
    MISSES = "**no**"


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured once a round; its median counts."""

    row: int
    what: str
    values: tuple[float, ...]
    unit: str = "times"
    line: Line | None = None
    note: str = ""
    known_miss: KnownMiss | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def standing(self) -> Standing:
        if self.line is None:
            return Standing.WITHOUT_LINE
        if self.line.holds(self.median):
            return Standing.HOLDS
        if self.known_miss is not None and self.known_miss.meanwhile.holds(self.median):
            return Standing.KNOWN_MISS
        return Standing.MISSES


def number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, tuple[float, ...]]:
    """Measure each way once a round, so that what slows the machine slows them alike.

    Every other round goes backwards. Returns: what each gave, by round.
    """
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for one in range(rounds):
        for name in reversed(list(ways)) if one % 2 else ways:
            gc.collect()
            measured[name].append(ways[name]())
    return {name: tuple(values) for name, values in measured.items()}


def ratios(slow: Sequence[float], fast: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round."""
    return tuple(one / other for one, other in zip(slow, fast, strict=True))


def milliseconds(seconds: Iterable[float]) -> str:
    """Return the median of some times for a note."""
    return f"{statistics.median(seconds) * 1e3:.3g} ms"
