"""Telegram's 429: the chat waits, all wait once a second chat has to, and nobody else does."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from bot.service.retry_after import RetryAfterWaits
from tests.bot.telegram_on_loopback import GROUP, BotApi, Failure, buttons_of

Draw = Callable[..., Any]


def too_many(seconds: float | str, chat: int | None = None, times: int = 1) -> Failure:
    failure = Failure(429, "Too Many Requests", {"retry_after": seconds}, times=times)
    if chat is not None:
        failure.when = lambda fields: fields["chat_id"] == str(chat)
    return failure


async def wait(bot_api: BotApi, condition: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(bot_api.wait, condition)


@pytest.mark.long
async def test_one_chats_429_keeps_no_other_waiting(
    bot_api: BotApi, running: Any, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """All others are answered first, however long that chat has to wait; then it is, too."""
    photo = bot_api.photo(draw("cats", 1))
    bot_api.fail("sendMessage", too_many(8, chat=1))
    async with running(send_rate=0):
        first = bot_api.send(photo, person=1)
        await wait(bot_api, lambda: bot_api.called("sendMessage"))
        others = [bot_api.send(photo, person=person) for person in range(2, 32)]
        await wait(bot_api, lambda: first in bot_api.answers)
    assert all(number in bot_api.answers for number in others)
    last = max(bot_api.answers[number][0] for number in others)
    assert last < bot_api.answers[first][0]
    assert len(bot_api.answers[first]) == 1
    waits = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert waits == ["Telegram has a chat wait for 8 seconds"]  # and not which


async def test_a_second_chats_429_halts_all_until_the_longer_is_over(
    bot_api: BotApi, running: Any, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    photo = bot_api.photo(draw("cats", 1))
    bot_api.fail("sendMessage", too_many(2, chat=1))
    bot_api.fail("sendMessage", too_many(1, chat=2))
    async with running(send_rate=0):
        bot_api.send(photo, person=1)
        await wait(bot_api, lambda: len(bot_api.called("sendMessage")) == 1)
        began = time.monotonic()
        bot_api.send(photo, person=2)
        await wait(bot_api, lambda: len(bot_api.called("sendMessage")) == 2)
        third = bot_api.send(photo, person=3)
        await wait(bot_api, lambda: third in bot_api.answers)
        assert time.monotonic() - began >= 1.5  # a slow machine waits longer, never less
        await wait(bot_api, lambda: len(bot_api.sent) == 3)
    assert any("second chat wait" in one.message for one in caplog.records)


@pytest.mark.parametrize("stated", [1, 1.0, "1", 0.6])
async def test_however_often_telegram_says_to_wait_it_is_kept_to(
    bot_api: BotApi, running: Any, draw: Draw, stated: float | str
) -> None:
    bot_api.fail("sendMessage", too_many(stated, times=2))
    times: list[float] = []
    note = bot_api.note

    def timed(method: str, fields: dict[str, Any]) -> Any:
        if method == "sendMessage":
            times.append(time.monotonic())
        return note(method, fields)

    bot_api.note = timed  # type: ignore[method-assign]
    async with running():
        number = bot_api.send_photo(draw("cats", 1))
        await asyncio.to_thread(bot_api.text_for, number)
    assert len(times) == 3
    assert all(later - earlier >= 0.9 for earlier, later in itertools.pairwise(times))


async def test_the_menus_429_keeps_nobody_waiting_and_is_kept_to(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    bot_api.fail("setMyCommands", too_many(150, times=99))
    async with running():
        await wait(bot_api, lambda: bot_api.called("setMyCommands"))
        number = bot_api.send_photo(draw("cats", 1))
        assert (await asyncio.to_thread(bot_api.text_for, number)).startswith("🐱")
        press = bot_api.press(bot_api.replies_to(number)[0]["message_id"], "l:1:cat")
        await asyncio.to_thread(bot_api.answer_to_press, press)
    assert len(bot_api.called("setMyCommands")) == 1


async def test_the_menu_is_set_again_only_where_it_changed(bot_api: BotApi, running: Any) -> None:
    async with running() as bot:
        while await bot.services.store.run(_menus) < 5:
            await asyncio.sleep(0.01)
    async with running():
        await asyncio.to_thread(bot_api.text_for, bot_api.send_text("/start"))
    assert len(bot_api.called("setMyCommands")) == 5


def _menus(db: Any) -> int:
    (found,) = db.execute("SELECT count(*) FROM bot_keys WHERE name LIKE 'menu:%'").fetchone()
    return int(found)


async def test_one_language_that_fails_is_set_at_the_next_start(
    bot_api: BotApi, running: Any
) -> None:
    spanish = Failure(500, times=1, when=lambda fields: fields.get("language_code") == "es")
    bot_api.fail("setMyCommands", spanish)
    async with running():
        await wait(bot_api, lambda: len(bot_api.called("setMyCommands")) == 3)
        await asyncio.to_thread(bot_api.text_for, bot_api.send_text("/start"))
    async with running():
        await wait(bot_api, lambda: len(bot_api.called("setMyCommands")) == 6)
    codes = [one.get("language_code") for one in bot_api.called("setMyCommands")]
    assert codes == ["de", None, "es", "es", "fr", "it"]


async def test_who_hammers_a_button_holds_nobody_up(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Their own changes are few, and the last one shows how it is."""
    async with running():
        photo = bot_api.send_photo(draw("cats", 1), person=5)
        answer = (await asyncio.to_thread(bot_api.replies_to, photo))[0]
        labels = [says for line in buttons_of(answer) for _, says in line]
        presses = [bot_api.press(answer["message_id"], labels[n % 2], person=5) for n in range(90)]
        other = bot_api.send_photo(draw("dogs", 1), person=6)
        await asyncio.to_thread(bot_api.text_for, other)
        for press in presses:
            await asyncio.to_thread(bot_api.answer_to_press, press)
        await wait(bot_api, lambda: bot_api.edits and "you say: dog" in bot_api.edits[-1]["text"])
        assert len(bot_api.edits) < 60


async def test_what_a_group_is_asked_takes_none_of_its_messages(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty curious people press in a group whose twenty messages a minute are spent."""
    monkeypatch.setattr("bot.handlers.feedback._ADMIN_SECONDS", 60.0)
    monkeypatch.setattr("bot.run._GRACE_SECONDS", 0.2)
    async with running():
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
        answer = (await asyncio.to_thread(bot_api.replies_to, photo))[0]
        for n in range(24):
            bot_api.send_photo(draw("cats", n), caption="/what", chat=GROUP, person=300 + n)
        await wait(bot_api, lambda: len(bot_api.sent) == 20)
        presses = [
            bot_api.press(answer["message_id"], "l:1:dog", person=person)
            for person in (*range(100, 140), 100, 101)
        ]
        for press in presses:
            said = await asyncio.to_thread(bot_api.answer_to_press, press)
            assert said["text"].startswith("Only the person who sent the photo")
        assert len(bot_api.sent) < 24  # the minute is not over
    asked = [fields["user_id"] for fields in bot_api.called("getChatMember")]
    assert len(asked) == len(set(asked)) == 40  # each once


async def test_a_press_does_not_wait_for_who_is_an_admin_for_ever(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.handlers.feedback._ADMIN_SECONDS", 0.2)
    bot_api.fail("getChatMember", too_many(600))
    async with running():
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
        answer = (await asyncio.to_thread(bot_api.replies_to, photo))[0]
        press = bot_api.press(answer["message_id"], "l:1:dog", person=6)
        said = await asyncio.to_thread(bot_api.answer_to_press, press)
        assert said["text"].startswith("Telegram does not tell me")


async def test_a_long_halt_is_shown_by_health_and_metrics(
    bot_api: BotApi, running: Any, draw: Draw, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.run._GRACE_SECONDS", 0.2)
    bot_api.fail("sendMessage", too_many(100, chat=5))

    def page(name: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/{name}", timeout=5) as response:
            text: str = response.read().decode()
        return text

    async with running(health_port=free_port) as bot:
        bot_api.send_photo(draw("cats", 1), person=5)
        while not bot.metrics.waits.chats:
            await asyncio.sleep(0.01)
        assert '"halt_seconds": 1' in await asyncio.to_thread(page, "health")
        metrics = await asyncio.to_thread(page, "metrics")
        assert "catdog_bot_halted_chats 1.0" in metrics


def test_waits_end_and_are_counted() -> None:
    now = 0.0
    waits = RetryAfterWaits(clock=lambda: now)
    waits.add_chat(1, 10)
    assert (waits.chats, waits.of_all) == (1, 0.0)
    assert waits.of_chat(2) <= 0 < waits.of_chat(1)
    waits.add_chat(1, 20)  # the same chat again halts nobody else
    assert waits.of_all == 0.0
    waits.add_chat(2, 5)
    assert waits.of_all == pytest.approx(20.1)
    assert waits.of_chat(3) == pytest.approx(20.1)
    now = 21.0
    assert (waits.chats, waits.of_all, waits.longest) == (0, 0.0, 0.0)
    waits.add_chat(3, 5)  # alone again
    assert waits.of_all == 0.0
