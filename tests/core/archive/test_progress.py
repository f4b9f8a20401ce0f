"""Progress in words: how many, how fast, how long yet, how many errors."""

from __future__ import annotations

import pytest

from core.archive.progress import Lines, Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_tells_speed_time_left_and_errors() -> None:
    clock = Clock()
    rate = Rate(clock)
    assert rate.words(0, 0, 100, is_all=False) == "0 of 100 listed so far, 0 errors"
    clock.now = 10
    assert rate.words(500, 1, 2_000, is_all=False) == (
        "500 of 2,000 listed so far, 50 photos/s, 1 error"
    )
    assert rate.words(500, 0, 2_000, is_all=True) == (
        "500 of 2,000, 50 photos/s, 30 s left, 0 errors"
    )
    clock.now = 40
    assert rate.words(2_000, 3, 2_000, is_all=True) == "2,000 of 2,000, 50 photos/s, 3 errors"


def test_without_a_terminal_it_is_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    for second in range(0, 150):
        clock.now = second
        lines.on_progress(second * 10, 0, 10_000, is_all=True)
    assert capsys.readouterr().err.splitlines() == [
        "Archive: 600 of 10,000, 10 photos/s, 16 min left, 0 errors",
        "Archive: 1,200 of 10,000, 10 photos/s, 15 min left, 0 errors",
    ]
