"""Durations in words."""

from __future__ import annotations

import pytest

from core.runtime.durations import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (3.4, "3 s"), (95, "95 s"), (100, "2 min"), (1800, "30 min"), (5900, "98 min"),
     (7200, "2 h 0 min"), (9000, "2 h 30 min"), (90_000, "25 h")],
)  # fmt: skip
def test_short_ones_are_seconds(seconds: float, words: str) -> None:
    assert duration(seconds) == words
