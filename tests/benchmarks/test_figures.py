"""Figures hold or fall short, and ways are measured in turns."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, Line, in_turns, ratios


@pytest.mark.parametrize(
    ("line", "values", "holds"),
    [
        (Line.AT_LEAST, (24.0, 25.0, 99.0), True),
        (Line.AT_LEAST, (24.0, 24.9, 99.0), False),
        (Line.AT_MOST, (1.0, 25.0, 99.0), True),
        (Line.AT_MOST, (1.0, 25.1, 99.0), False),
        (None, (0.0,), True),
    ],
)
def test_the_median_is_held_against_the_line(
    line: Line | None, values: tuple[float, ...], holds: bool
) -> None:
    assert Figure(2, "warm", values, line=line, limit=25).holds is holds


def test_ways_take_turns_and_every_other_round_goes_backwards() -> None:
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
