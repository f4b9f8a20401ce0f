"""Charts drawn by the page itself, so that they follow its colours, light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 560, 320  # of the drawing, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 44  # room for what is written at the axes
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what stands there."""

    at: float  # in units of the drawing
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a line."""

    x: float  # in units of the drawing
    y: float
    label: str  # its number in full, for who points at it


@dataclass(frozen=True, slots=True)
class Line:
    """Values that belong together."""

    name: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over a common axis."""

    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_title: str
    y_title: str
    marked: float | None = None  # a place on the x axis, in units of the drawing
    marked_label: str = ""
    notes: tuple[Tick, ...] = ()  # other places on the x axis, each with a word
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Bar:
    """How many values lie in a range."""

    x: float
    width: float
    y: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """How values are distributed."""

    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    mean: float
    deviation: float
    mean_at: float  # in units of the drawing
    bottom: float = HEIGHT - _BOTTOM


def line_chart(
    lines: Mapping[str, Sequence[float]],
    xs: Sequence[float],
    *,
    x_title: str,
    y_title: str,
    is_share: bool = False,
    marked: tuple[float, str] | None = None,
    notes: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Draw lines over the same `xs`, as long as each of them and not empty.

    `is_share` writes values as percentages; `marked` is a place on the x axis and its name, and
    `notes` are others.
    """
    values = [value for line in lines.values() for value in line if math.isfinite(value)]
    low, high = _range(min(values), max(values), 0.0, 1.0 if is_share else math.inf)
    first, last = min(xs), max(xs)
    across = _scale(first, last, _LEFT, WIDTH - _RIGHT)
    upwards = _scale(low, high, HEIGHT - _BOTTOM, _TOP)
    form = ".1%" if is_share else ".3f"
    return Chart(
        lines=tuple(
            Line(
                name,
                tuple(
                    Point(across(x), upwards(y), f"{name}, {x_title} {x:g}: {y:{form}}")
                    for x, y in zip(xs, line, strict=True)
                    if math.isfinite(y)
                ),
            )
            for name, line in lines.items()
        ),
        x_ticks=tuple(Tick(across(x), f"{x:g}") for x in ticks(first, last, whole=True)),
        y_ticks=tuple(
            Tick(upwards(y), f"{100 * y:g} %" if is_share else f"{y:g}") for y in ticks(low, high)
        ),
        x_title=x_title,
        y_title=y_title,
        marked=None if marked is None else across(marked[0]),
        marked_label="" if marked is None else marked[1],
        notes=tuple(Tick(across(x), words) for x, words in notes),
    )


def histogram(
    values: npt.NDArray[np.floating], *, bins: int, ends: tuple[float, float] | None = None
) -> Histogram:
    """Count values, at least one, in so many ranges of the same width, between two `ends`."""
    counts, edges = np.histogram(values, bins=bins, range=ends)
    across = _scale(float(edges[0]), float(edges[-1]), 14, WIDTH - _RIGHT)
    most = max(1, int(counts.max()))
    high = HEIGHT - _BOTTOM - _TOP
    bars = []
    for count, start, end in zip(counts, edges[:-1], edges[1:], strict=True):
        # square roots: a bar of a few values beside one of thousands is still to be seen
        tall = high * math.sqrt(count / most)
        bars.append(
            Bar(
                across(float(start)),
                max(1.0, across(float(end)) - across(float(start)) - 1),
                HEIGHT - _BOTTOM - tall,
                tall,
                f"{count:,} values from {start:.3g} to {end:.3g}",
            )
        )
    mean = float(values.mean(dtype=np.float64))
    return Histogram(
        bars=tuple(bars),
        x_ticks=tuple(Tick(across(x), f"{x:g}") for x in ticks(float(edges[0]), float(edges[-1]))),
        mean=mean,
        deviation=float(values.std(dtype=np.float64)),
        mean_at=across(mean),
    )


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Choose round numbers between two, at most seven; or `whole` ones, from the first on."""
    if high <= low:
        return [low]
    raw = (high - low) / (_MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in _STEPS if power * one >= raw * (1 - 1e-9))
    if whole:
        step = max(1, math.ceil(step))
        return [float(low + one) for one in range(0, math.floor(high - low) + 1, step)]
    first = math.ceil(low / step - 1e-9)
    found = []
    while first * step <= high + step * 1e-9:
        found.append(round(first * step, 10))
        first += 1
    return found


def _range(low: float, high: float, floor: float, ceiling: float) -> tuple[float, float]:
    """Leave a little room around values, without crossing what they cannot reach."""
    room = max(0.08 * (high - low), 0.01 * max(abs(high), 1e-3))
    bottom = low - room if low < floor else max(floor, low - room)
    return bottom, max(high, min(ceiling, high + room))


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    width = high - low if high > low else 1.0
    return lambda value: start + (end - start) * (value - low) / width
