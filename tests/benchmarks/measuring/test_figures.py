"""Figures hold or fall short, and ways are measured in turns."""

from __future__ import annotations

import gc

import pytest

from benchmarks.measuring.figures import (
    Figure,
    KnownMiss,
    Line,
    Standing,
    at_least,
    at_most,
    in_turns,
    ratios,
)


@pytest.mark.parametrize(
    ("line", "values", "standing"),
    [
        (at_least(25), (24.0, 25.0, 99.0), Standing.HOLDS),
        (at_least(25), (24.0, 24.9, 99.0), Standing.MISSES),
        (at_most(25), (1.0, 25.0, 99.0), Standing.HOLDS),
        (at_most(25), (1.0, 25.1, 99.0), Standing.MISSES),
        (None, (0.0,), Standing.WITHOUT_LINE),
    ],
)
def test_the_median_is_held_against_the_line(
    line: Line | None, values: tuple[float, ...], standing: Standing
) -> None:
    assert Figure(2, "warm", values, line=line).standing is standing


@pytest.mark.parametrize(
    ("value", "standing"),
    [(25.0, Standing.HOLDS), (23.0, Standing.KNOWN_MISS), (19.0, Standing.MISSES)],
)
def test_a_known_miss_may_not_get_worse(value: float, standing: Standing) -> None:
    miss = KnownMiss(at_least(20), "it is large")
    assert Figure(2, "warm", (value,), line=at_least(25), known_miss=miss).standing is standing


def test_ways_take_turns_and_every_other_round_goes_backwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)  # seconds, after what other tests have loaded
    called = []

    def way(name: str, taken: float) -> float:
        called.append(name)
        return taken

    times = in_turns({"slow": lambda: way("slow", 6.0), "fast": lambda: way("fast", 2.0)}, 3)
    assert called == ["slow", "fast", "fast", "slow", "slow", "fast"]
    assert times == {"slow": (6.0, 6.0, 6.0), "fast": (2.0, 2.0, 2.0)}
    assert ratios(times["slow"], times["fast"]) == (3.0, 3.0, 3.0)


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios((1.0, 2.0), (1.0,))
