"""What is acknowledged to Telegram is in the store, and what nobody can read comes once."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.secret import Secret
from bot.settings import Webhook
from tests.bot.telegram_on_loopback import BotApi, buttons_of

Draw = Callable[..., Any]
SECRET = "a-secret-of-the-proxy"


@pytest.fixture
def webhook(free_port: int) -> Webhook:
    return Webhook("https://bot.example/hook", "127.0.0.1", free_port, Secret(SECRET))


def post(webhook: Webhook, body: bytes, *, secret: str = SECRET, kind: str = "text/plain") -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{webhook.port}/hook",
        body,
        {"Content-Type": kind, "X-Telegram-Bot-Api-Secret-Token": secret},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def update(bot_api: BotApi, number: int, content: dict[str, Any]) -> bytes:
    message = bot_api._message(number, content, 5, None, None)
    return json.dumps({"update_id": number, "message": message}).encode()


async def test_a_photo_is_in_the_store_when_it_is_acknowledged(
    bot_api: BotApi, running: Any, draw: Draw, webhook: Webhook, state: Path
) -> None:
    """Read from beside the bot, in the moment of each 200."""
    photo = bot_api.photo(draw("cats", 1))
    async with running(webhook=webhook):
        beside = sqlite3.connect(state / "catdog.sqlite3", timeout=10)
        with bot_api.holding_downloads(), closing(beside):

            def stored() -> set[int]:
                return {row[0] for row in beside.execute("SELECT message FROM bot_photos")}

            for number in range(1000, 1020):
                content = {**photo, "media_group_id": "a"} if number % 2 else photo
                body = update(bot_api, number, content)
                assert await asyncio.to_thread(post, webhook, body) == 200
                assert number in stored()


async def test_a_press_is_in_the_store_when_it_is_acknowledged(
    bot_api: BotApi, running: Any, draw: Draw, webhook: Webhook, state: Path
) -> None:
    async with running(webhook=webhook):
        body = update(bot_api, 1000, bot_api.photo(draw("cats", 1)))
        assert await asyncio.to_thread(post, webhook, body) == 200
        answer = (await asyncio.to_thread(bot_api.replies_to, 1000))[0]
        says = [one for line in buttons_of(answer) for _, one in line]
        query = {
            "id": "1", "chat_instance": "1", "data": says[1],
            "from": {"id": 5, "is_bot": False, "first_name": "Ann"},
            "message": bot_api._messages[5, answer["message_id"]],
        }  # fmt: skip
        body = json.dumps({"update_id": 2000, "callback_query": query}).encode()
        assert await asyncio.to_thread(post, webhook, body) == 200
        with sqlite3.connect(state / "catdog.sqlite3", timeout=10) as beside:
            assert beside.execute("SELECT label FROM feedback").fetchall() == [("dog",)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no json", b"\xff\xfe", b"[]", b"null", b"7", b"{}", b"[" * 100_000,
        b'{"update_id": "x"}', b'{"update_id": 1, "message": {"text": "Mitzi"}}',
        b'{"update_id": 1, "message": 5}',
    ],
)  # fmt: skip
async def test_what_nobody_can_read_is_acknowledged_and_a_line(
    bot_api: BotApi, running: Any, draw: Draw, webhook: Webhook, body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    async with running(webhook=webhook):
        assert await asyncio.to_thread(post, webhook, body) == 200
        lines = [one for one in caplog.records if one.levelno >= logging.WARNING]
        assert [one.message.split(" (")[0] for one in lines] == [
            "an update could not be read, and is dropped"
        ]
        assert "Mitzi" not in caplog.text
        good = update(bot_api, 1000, bot_api.photo(draw("cats", 1)))
        assert await asyncio.to_thread(post, webhook, good) == 200
        assert (await asyncio.to_thread(bot_api.text_for, 1000)).startswith("🐱")


async def test_who_does_not_show_the_secret_is_refused(
    bot_api: BotApi, running: Any, webhook: Webhook
) -> None:
    async with running(webhook=webhook):
        for secret in ("", "a guess", SECRET + "x", "ä"):
            body = update(bot_api, 1000, {"text": "/start"})
            try:
                status = await asyncio.to_thread(post, webhook, body, secret=secret)
            except UnicodeEncodeError:
                continue
            assert status == 403
    assert bot_api.sent == []


async def test_an_update_that_cannot_be_noted_in_time_is_sent_again(
    bot_api: BotApi, running: Any, draw: Draw, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk hangs: what is not stored is not acknowledged; then it comes again, and is once."""
    monkeypatch.setattr("bot.telegram.webhook._HANDLED_SECONDS", 0.2)
    body = update(bot_api, 1000, bot_api.photo(draw("cats", 1)))
    async with running(webhook=webhook) as bot:
        go_on = threading.Event()
        bot.services.store._executor.submit(go_on.wait, 60)
        assert await asyncio.to_thread(post, webhook, body) == 503
        go_on.set()
        while await asyncio.to_thread(post, webhook, body) != 200:
            pass
        assert (await asyncio.to_thread(bot_api.text_for, 1000)).startswith("🐱")
        after = update(bot_api, 1001, bot_api.photo(draw("dogs", 1)))
        await asyncio.to_thread(post, webhook, after)
        await asyncio.to_thread(bot_api.text_for, 1001)
    assert len(bot_api.answers[1000]) == 1
