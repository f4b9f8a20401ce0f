"""An outage is a line when it begins and a line when it ends, whatever fails in it."""

from __future__ import annotations

import pytest

from bot.telegram.outage import ASKING, FETCHING, SENDING, Outage


def test_an_outage_is_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    outage = Outage(clock=lambda: now)
    for _ in range(100):
        for way in (ASKING, SENDING, FETCHING):
            outage.failed(way, "ConnectError", is_known=way is not SENDING)
    outage.worked(SENDING)
    assert len(caplog.records) == 1
    outage.worked(ASKING)
    assert [one.message.split(" (")[0].split(";")[0] for one in caplog.records] == [
        "Telegram cannot be reached",
        "Telegram is there again",
    ]
    assert caplog.records[1].message.endswith("not made again: 100")
    now = 10.0
    outage.failed(SENDING, "ConnectError")  # the last of it
    outage.worked(SENDING)
    assert len(caplog.records) == 2
    outage.failed(SENDING, "ConnectError")
    now = 100.0
    outage.failed(SENDING, "ConnectError")  # no: it lasts
    assert len(caplog.records) == 3
    outage.worked(SENDING)
    assert len(caplog.records) == 4
