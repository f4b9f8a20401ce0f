"""After "I have forgotten" nothing of that person is there or comes, whatever was under way."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.handlers import donated_photos
from bot.words.catalogue import words_for
from tests.bot.telegram_on_loopback import GROUP, BotApi, Failure, buttons_of, captioned

Draw = Callable[..., Any]
WORDS = words_for("en")


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


async def answered(bot_api: BotApi, number: int) -> dict[str, Any]:
    replies: list[dict[str, Any]] = await asyncio.to_thread(bot_api.replies_to, number)
    return replies[0]


def left(state: Path) -> list[tuple[Any, ...]]:
    """Give all that the store and the folder hold of anybody."""
    store = sqlite3.connect(state / "catdog.sqlite3", timeout=10)
    rows = []
    for table in ("bot_photos", "bot_people", "feedback"):
        rows += store.execute(f"SELECT * FROM {table}").fetchall()
    store.close()
    return rows + [(path,) for path in (state / "photos").glob("*/*")]


async def quiet(bot: Any) -> None:
    """Wait until nothing is under way."""
    while bot.photo_queue._waiting or bot.services.background._tasks or bot.buttons._answers._tasks:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("photos", [1, 5])
async def test_photos_that_came_before_it_in_the_same_batch(
    bot_api: BotApi, running: Any, draw: Draw, state: Path, photos: int
) -> None:
    async with running() as bot:
        with bot_api._changed:  # one batch
            for n in range(photos):
                bot_api.send_photo(draw("cats", n))
            forget = bot_api.send_text("/forget")
        await said(bot_api, forget)
        await quiet(bot)
        assert left(state) == []


async def test_an_album_that_came_before_it_in_the_same_batch(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running() as bot:
        with bot_api._changed:
            bot_api.send_album([draw("cats", n) for n in range(3)])
            forget = bot_api.send_text("/forget")
        await said(bot_api, forget)
        await quiet(bot)
        assert left(state) == []


async def test_photos_of_an_album_that_nobody_had_asked_about_yet(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """The rest of it, with the caption that asks, comes after."""
    asking = bot_api.photo(draw("dogs", 1)) | captioned("/what")
    async with running() as bot:
        with bot_api._changed:
            bot_api.send_album([draw("cats", 1), draw("cats", 2)], chat=GROUP, person=5)
            bot_api.send_text("/forget@catdog_bot", chat=GROUP, person=5)
            (last,) = bot_api.send_album([asking], chat=GROUP, person=5)
        await said(bot_api, last)
        await quiet(bot)
        with sqlite3.connect(state / "catdog.sqlite3") as store:
            assert store.execute("SELECT message FROM bot_photos").fetchall() == [(last,)]


async def test_a_photo_that_is_at_work(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Nor is it answered: there would be nothing behind the buttons."""
    async with running() as bot:
        with bot_api.holding_downloads():
            photo = bot_api.send_photo(draw("cats", 1))
            await asyncio.to_thread(bot_api.wait, lambda: bot_api.waiting_downloads)
            assert "forgotten all" in await said(bot_api, bot_api.send_text("/forget"))
            assert left(state) == []
        await quiet(bot)
        assert left(state) == []
    assert photo not in bot_api.answers


async def hold_admins(bot_api: BotApi) -> None:
    bot_api.fail("getChatMember", Failure(429, "Too Many Requests", {"retry_after": 1}))


async def test_an_admins_press_that_waits_for_telegram(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """Neither who sent the photo nor the admin who presses is written after it."""
    for forgetting in (5, 9):
        bot_api.admins.add((GROUP, 9))
        async with running() as bot:
            photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
            answer = await answered(bot_api, photo)
            says = [one for line in buttons_of(answer) for _, one in line]
            await hold_admins(bot_api)
            asked = len(bot_api.called("getChatMember"))
            press = bot_api.press(answer["message_id"], says[1], person=9)
            await asyncio.to_thread(
                bot_api.wait,
                lambda: len(bot_api.called("getChatMember")) > asked,  # noqa: B023
            )
            await said(bot_api, bot_api.send_text("/forget", person=forgetting))
            answered_press = await asyncio.to_thread(bot_api.answer_to_press, press)
            assert answered_press["text"] == WORDS.too_old
            await quiet(bot)
        with sqlite3.connect(state / "catdog.sqlite3") as store:
            assert store.execute("SELECT * FROM feedback").fetchall() == []


async def test_presses_in_the_same_batch(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    """What may be kept is not noted of a person who is forgotten."""
    async with running() as bot:
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        says = [one for line in buttons_of(answer) for _, one in line]
        row = says[0].split(":")[1]
        with bot_api._changed:
            presses = [bot_api.press(answer["message_id"], one) for one in says]
            presses.append(bot_api.press(answer["message_id"], f"c:{row}:photo"))
            forget = bot_api.send_text("/forget")
            presses.append(bot_api.press(answer["message_id"], f"c:{row}:photo"))
        await said(bot_api, forget)
        for press in presses:
            await asyncio.to_thread(bot_api.answer_to_press, press)
        await quiet(bot)
        assert left(state) == []


@pytest.mark.parametrize("moment", ["fetched", "written"])
async def test_a_photo_that_is_being_kept(
    bot_api: BotApi, running: Any, draw: Draw, state: Path, moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """When the bot has said so, no file is there, not even for a moment."""
    writing, go_on = threading.Event(), threading.Event()
    write = donated_photos._write

    def slowly(*arguments: Any) -> Any:
        writing.set()
        go_on.wait(20)
        return write(*arguments)

    async with running() as bot:
        answer = await answered(bot_api, bot_api.send_photo(draw("cats", 1)))
        says = [one for line in buttons_of(answer) for _, one in line]
        await asyncio.to_thread(
            bot_api.answer_to_press, bot_api.press(answer["message_id"], says[0])
        )
        if moment == "written":
            monkeypatch.setattr(donated_photos, "_write", slowly)
        else:
            bot_api.slow_downloads = 1.0
        fetches = len(bot_api.fetched)
        bot_api.press(answer["message_id"], f"c:{says[0].split(':')[1]}:photo")
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.fetched) > fetches)
        if moment == "written":
            await asyncio.to_thread(writing.wait, 60)
        forget = bot_api.send_text("/forget")
        if moment == "written":
            go_on.set()
        assert "forgotten all" in await said(bot_api, forget)
        assert left(state) == []
        await quiet(bot)
        assert left(state) == []


async def test_who_is_not_let_in_any_more_may_ask_for_it(
    bot_api: BotApi, running: Any, draw: Draw, state: Path
) -> None:
    async with running():
        await answered(bot_api, bot_api.send_photo(draw("cats", 1), person=5))
    async with running(allowed_users=frozenset({6})):
        assert "What I keep" in await said(bot_api, bot_api.send_text("/privacy", person=5))
        assert "forgotten all" in await said(bot_api, bot_api.send_text("/forget", person=5))
        others = bot_api.send_text("/forget@another_bot", person=5)
        assert "answer only those" in await said(bot_api, others)
    assert left(state) == []
