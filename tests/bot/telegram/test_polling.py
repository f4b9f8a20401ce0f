"""Whatever getUpdates answers, the bot asks again, and says in a line what came."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.telegram import polling
from tests.bot.telegram_on_loopback import BotApi, Failure

Draw = Callable[..., Any]


def wrapped(found: object) -> bytes:
    return json.dumps({"ok": True, "result": found}).encode()


ODD = [
    wrapped(True),
    wrapped(None),
    wrapped({}),
    wrapped("updates"),
    wrapped([5]),
    wrapped([None, []]),
    wrapped([{"update_id": "7"}]),
    wrapped([{"update_id": True}]),
    wrapped([{"update_id": -1}]),
    wrapped([{"update_id": 10**30}]),
    wrapped([{"message": {}}]),
    b"[]",
    b"null",
    b"{}",
    b"true",
    b'"ok"',
    b"",
    b"<html>",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"ok": true, "result": [' + b"9" * 5000 + b"]}",
    b'{"ok": false}',
    b'{"ok": false, "error_code": 400, "description": 5, "parameters": 5}',
]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks again soon."""
    monkeypatch.setattr(polling, "_PAUSES_SECONDS", (0.1,))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
async def test_an_odd_answer_is_a_line_and_photos_are_answered_after(
    bot_api: BotApi, running: Any, draw: Draw, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running():
        bot_api.fail("getUpdates", Failure(200, body=body))
        await asyncio.to_thread(
            bot_api.wait, lambda: all(one.times == 0 for one in bot_api.failures["getUpdates"])
        )
        number = bot_api.send_photo(draw("cats", 913))
        text = await asyncio.to_thread(bot_api.text_for, number)
    assert text.startswith("🐱")
    lines = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert 1 <= len(lines) <= 2  # that it began, and that it is over
    assert all(one.exc_info is None for one in lines)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("status", [200, 500, 403])
async def test_updates_beside_what_is_none_are_answered(
    bot_api: BotApi, running: Any, draw: Draw, status: int
) -> None:
    message = bot_api._message(900, {"text": "/start"}, 5, None, None)
    message["entities"] = [{"type": "bot_command", "offset": 0, "length": 6}]
    body = wrapped([7, {"update_id": 10**7, "message": message}, "x"])
    async with running():
        bot_api.fail("getUpdates", Failure(status, body=b"[]"))
        bot_api.fail("getUpdates", Failure(200, body=body))
        assert "Hello" in await asyncio.to_thread(bot_api.text_for, 900)


@pytest.mark.parametrize("body", [wrapped([]), wrapped([3]), b"{}", wrapped(False)])
async def test_a_server_that_answers_at_once_is_not_hammered(
    bot_api: BotApi, running: Any, body: bytes
) -> None:
    async with running():
        bot_api.fail("getUpdates", Failure(200, body=body, times=10**6))
        before, began = len(bot_api.called("getUpdates")), time.monotonic()
        await asyncio.to_thread(
            bot_api.wait, lambda: len(bot_api.called("getUpdates")) >= before + 2
        )
        took = time.monotonic() - began
        polls = len(bot_api.called("getUpdates")) - before
    assert polls <= 2 + took * 4  # a slow machine asks less often


async def test_a_server_that_ignores_what_was_confirmed_has_nothing_done_twice(
    bot_api: BotApi, running: Any
) -> None:
    message = bot_api._message(900, {"text": "/start"}, 5, None, None)
    message["entities"] = [{"type": "bot_command", "offset": 0, "length": 6}]
    body = wrapped([{"update_id": 10**7, "message": message}])
    async with running():
        bot_api.fail("getUpdates", Failure(200, body=body, times=3))
        await asyncio.to_thread(bot_api.text_for, 900)
        await asyncio.to_thread(
            bot_api.wait, lambda: all(one.times == 0 for one in bot_api.failures["getUpdates"])
        )
    assert len(bot_api.sent) == 1


async def test_getupdates_waits_as_long_as_telegram_says(bot_api: BotApi, running: Any) -> None:
    async with running():
        bot_api.fail("getUpdates", Failure(429, "Too Many Requests", {"retry_after": 2}))
        await asyncio.to_thread(
            bot_api.wait, lambda: all(one.times == 0 for one in bot_api.failures["getUpdates"])
        )
        began = time.monotonic()
        before = len(bot_api.called("getUpdates"))
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.called("getUpdates")) > before)
        assert time.monotonic() - began >= 1.5  # a slow machine waits longer, never less
