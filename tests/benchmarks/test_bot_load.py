"""The benchmark runs, and fails where a burst was not answered."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import bot_load

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

WELL = bot_load.Load(
    answered=500,
    doubled=0,
    out_of_order=0,
    median=1.0,
    p95=2.0,
    last=3.0,
    others=3.0,
    memory=1e8,
    lag=0.01,
    idle=1e8,
)


@pytest.mark.long
def test_a_small_burst_is_measured() -> None:
    load = bot_load.run(0, people=3, photos=2)
    assert (load.answered, load.doubled, load.out_of_order) == (6, 0, 0)
    assert load.last >= load.p95 >= load.median > 0
    assert load.last >= load.others > 0
    assert load.memory > 10e6


@pytest.mark.long
def test_a_chat_that_has_to_wait_is_told_from_the_others() -> None:
    load = bot_load.run(0, people=3, photos=2, flood=3)
    assert (load.answered, load.doubled, load.out_of_order) == (6, 0, 0)
    assert load.last >= 3
    assert load.others < load.last


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, 0), ({"answered": 499}, 1), ({"doubled": 1}, 1), ({"p95": 21.0}, 1),
     ({"memory": 251e6}, 1), ({"lag": 0.11}, 1), ({"out_of_order": 1}, 1)],
)  # fmt: skip
def test_it_fails_when_it_falls_short(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: int
) -> None:
    monkeypatch.setattr(bot_load, "run", lambda send_rate: replace(WELL, **change))
    assert bot_load.main([]) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [({"others": 3.9}, 0), ({"others": 4.1}, 1), ({"answered": 490}, 1), ({"doubled": 1}, 1)],
)
def test_it_fails_when_others_wait_for_a_chat_that_has_to(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: int
) -> None:
    def run(send_rate: int, *, flood: float = 0.0) -> bot_load.Load:
        return replace(WELL, **change) if flood else WELL

    monkeypatch.setattr(bot_load, "run", run)
    assert bot_load.main(["--flood", "40"]) == code
