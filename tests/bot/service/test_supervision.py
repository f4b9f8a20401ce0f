"""What ends unforeseen is logged and started again; what keeps ending ends the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.service.metrics import Metrics
from bot.service.supervision import KeepsEnding, Supervisor
from bot.telegram.polling import Polling
from tests.bot.telegram_on_loopback import BotApi

Draw = Callable[..., Any]


@pytest.mark.parametrize("how", ["raises", "returns", "is cancelled from within"])
async def test_work_that_ends_is_started_again(how: str, caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(Metrics(), pauses=(0.0,))
    again = asyncio.Event()
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts == 2:
            again.set()
            await asyncio.Event().wait()
        if how == "raises":
            raise TypeError("a bug")
        if how == "is cancelled from within":
            raise asyncio.CancelledError

    supervisor.keep("the work", work)
    await asyncio.wait_for(again.wait(), 60)
    await supervisor.stop()
    assert [one.message for one in caplog.records] == ["the work ended, and is started again"]
    assert starts == 2


async def test_work_that_keeps_ending_is_a_failure() -> None:
    supervisor = Supervisor(Metrics(), pauses=(0.0,))

    async def work() -> None:
        raise TypeError("a bug")

    supervisor.keep("the work", work)
    with pytest.raises(KeepsEnding, match="the work has ended 5 times") as failed:
        await asyncio.wait_for(supervisor.failure(), 60)
    await supervisor.stop()
    assert failed.value.exit_code == 1


async def test_work_that_ends_now_and_then_goes_on() -> None:
    hours = iter(range(0, 10**6, 3600))
    supervisor = Supervisor(Metrics(), pauses=(0.0,), clock=lambda: float(next(hours)))
    often = asyncio.Event()
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts == 30:
            often.set()
            await asyncio.Event().wait()

    supervisor.keep("the work", work)
    await asyncio.wait_for(often.wait(), 60)
    assert not supervisor._failed.is_set()
    await supervisor.stop()


async def test_polling_that_breaks_is_taken_up_again(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, broken = Polling.run, iter([True, True])

    async def breaking(self: Polling) -> None:
        if next(broken, False):
            raise RuntimeError("a bug")
        await run(self)

    monkeypatch.setattr(Polling, "run", breaking)
    async with running():
        number = bot_api.send_photo(draw("cats", 1))
        assert (await asyncio.to_thread(bot_api.text_for, number)).startswith("🐱")


async def test_polling_that_keeps_breaking_ends_the_bot(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaking(self: Polling) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Polling, "run", breaking)
    monkeypatch.setattr("bot.service.supervision._PAUSES_SECONDS", (0.0,))
    monkeypatch.setattr(Supervisor.__init__, "__kwdefaults__", {
        **(Supervisor.__init__.__kwdefaults__ or {}), "pauses": (0.0,),
    })  # fmt: skip
    with pytest.raises(KeepsEnding, match="asking for messages"):
        async with running() as bot:
            await asyncio.wait_for(asyncio.shield(_ended(bot)), 60)


async def _ended(bot: Any) -> None:
    while not bot.metrics.restarts.labels("asking for messages")._value.get() >= 5:
        await asyncio.sleep(0.01)
