"""The benchmark runs, and fails where a burst was not answered."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import bot_load

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def test_a_small_burst_is_measured() -> None:
    load = bot_load.run(0, people=3, photos=2)
    assert (load.answered, load.doubled, load.out_of_order) == (6, 0, 0)
    assert load.last >= load.p95 >= load.median > 0
    assert load.memory > 10e6


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, 0), ({"answered": 499}, 1), ({"doubled": 1}, 1), ({"p95": 21.0}, 1),
     ({"memory": 251e6}, 1), ({"lag": 0.11}, 1), ({"out_of_order": 1}, 1)],
)  # fmt: skip
def test_it_fails_when_it_falls_short(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: int
) -> None:
    well = bot_load.Load(
        answered=500,
        doubled=0,
        out_of_order=0,
        median=1.0,
        p95=2.0,
        last=3.0,
        memory=1e8,
        lag=0.01,
        idle=1e8,
    )
    monkeypatch.setattr(bot_load, "run", lambda send_rate: replace(well, **change))
    assert bot_load.main() == code
