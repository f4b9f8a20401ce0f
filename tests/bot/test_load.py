"""Many people at once: everybody is answered, once, in order; who floods holds up nobody."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.answering import inference
from bot.words.catalogue import words_for
from core.model.live import Serving
from core.model.promotion import promote
from core.store.database import Store
from tests.bot.telegram_on_loopback import GROUP, BotApi, captioned, reply_of

Draw = Callable[..., Any]
WORDS = words_for("en")


async def wait(bot_api: BotApi, condition: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(bot_api.wait, condition)


async def test_fifty_people_with_ten_photos_each_are_all_answered_in_order(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    photos = [bot_api.photo(draw(kind, 1)) for kind in ("cats", "dogs", "other")]
    async with running(send_rate=0):
        sent: dict[int, list[int]] = {person: [] for person in range(1, 51)}
        for turn in range(10):
            for person, numbers in sent.items():
                numbers.append(bot_api.send(photos[turn % 3], person=person))
        await wait(bot_api, lambda: len(bot_api.sent) >= 500)
    assert len(bot_api.sent) == 500
    for person, numbers in sent.items():
        replies = [reply_of(one) for one in bot_api.sent if one["chat_id"] == str(person)]
        assert replies == numbers
    firsts = {one["text"].split(",")[0] for one in bot_api.sent if reply_of(one) in sent[7][::3]}
    assert firsts == {"🐱 cat"}


async def test_a_photo_makes_python_search_for_no_package_in_vain(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several times a request it did, for one that httpcore uses if it is there."""
    searched: list[str] = []

    class Listening:
        @staticmethod
        def find_spec(name: str, path: Any = None, target: Any = None) -> None:
            searched.append(name)

    photo = bot_api.photo(draw("cats", 1))
    async with running(send_rate=0):
        first = bot_api.send(photo)
        await wait(bot_api, lambda: first in bot_api.answers)
        monkeypatch.setattr("sys.meta_path", [Listening, *sys.meta_path])
        second = bot_api.send(photo)
        await wait(bot_api, lambda: second in bot_api.answers)
    assert searched == []


async def test_who_floods_has_their_share_and_holds_up_nobody(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Of 200 photos 60 are taken; the person hears so once. Others are answered meanwhile."""
    photo = bot_api.photo(draw("cats", 1))
    bot_api.slow_downloads = 0.05
    async with running(send_rate=0):
        flood = [bot_api.send(photo, person=1) for _ in range(200)]
        others = [bot_api.send(photo, person=person) for person in range(2, 8)]
        await wait(bot_api, lambda: all(number in bot_api.answers for number in others))
        flooded = [one for one in bot_api.sent if one["chat_id"] == "1"]
        assert len(flooded) < 40  # they were not waited for
        await wait(bot_api, lambda: len(bot_api.sent) >= 60 + 1 + 6)
        await wait(bot_api, lambda: not bot_api._updates)
    refusals = [one for one in bot_api.sent if one["text"] == WORDS.too_fast.format(limit=60)]
    assert [reply_of(one) for one in refusals] == [flood[60]]
    answered = [reply_of(one) for one in bot_api.sent if one["text"].startswith("🐱")]
    assert [number for number in answered if number in flood] == flood[:60]


async def test_a_full_queue_says_so_and_takes_photos_again_later(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    photo = bot_api.photo(draw("cats", 1))
    async with running(queue=5, send_rate=0) as bot:
        with bot_api.holding_downloads():
            waiting = [bot_api.send(photo, person=person) for person in range(5)]
            await wait(bot_api, lambda: len(bot_api.fetched) == 5)
            refused = bot_api.send(photo, person=9)
            text = await asyncio.to_thread(bot_api.text_for, refused)
            assert text == WORDS.busy
        await wait(bot_api, lambda: all(number in bot_api.answers for number in waiting))
        while bot.photo_queue._waiting:
            await asyncio.sleep(0.01)
        again = bot_api.send(photo, person=9)
        assert (await asyncio.to_thread(bot_api.text_for, again)).startswith("🐱")


async def test_one_chat_is_not_answered_faster_than_telegram_minds(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Twenty at once, then one a second; else Telegram would have the whole bot wait."""
    photo = bot_api.photo(draw("cats", 1))
    async with running(send_rate=1000):
        numbers = [bot_api.send(photo, person=1) for _ in range(22)]
        await wait(bot_api, lambda: numbers[-1] in bot_api.answers)
    began = bot_api.arrivals[numbers[0]]
    # a slow machine answers later than that, never earlier
    for least, number in enumerate(numbers[20:], start=1):
        assert bot_api.answers[number][0] - began >= least


async def test_commands_in_a_group_hold_up_nobody(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Telegram lets a group be answered 20 times a minute; others do not wait for that."""
    async with running():
        for person in range(100, 120):
            for _ in range(16):
                bot_api.send_text("/start", person=person, chat=GROUP)
        photo = bot_api.send_photo(draw("cats", 1), person=5)
        assert (await asyncio.to_thread(bot_api.text_for, photo)).startswith("🐱")
        await wait(bot_api, lambda: not bot_api._updates)
    assert len(bot_api.sent) < 60


async def test_a_group_cannot_take_up_the_whole_queue(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    photo = bot_api.photo(draw("cats", 1)) | captioned("/what")
    bot_api.slow_downloads = 0.5
    async with running(queue=40, person_rate=3):
        for person in range(100, 130):
            for _ in range(3):
                bot_api.send(photo, person=person, chat=GROUP)
        number = bot_api.send_photo(draw("dogs", 1), person=5)
        assert (await asyncio.to_thread(bot_api.text_for, number)).startswith("🐶")


async def test_ten_promotions_and_a_broken_one_under_load_are_noticed_by_nobody(
    bot_api: BotApi, running: Any, draw: Draw, tiny_model: Path, tmp_path: Path, state: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Every photo is answered once, by a model that was promoted; the last good one goes on."""
    models = tmp_path / "models"
    for version in ("v1", "v2"):
        copy = Path(shutil.copytree(tiny_model, models / version))
        manifest = json.loads((copy / "manifest.json").read_text()) | {"version": version}
        (copy / "manifest.json").write_text(json.dumps(manifest))
    promote(models, "v1")
    clock = itertools.count(step=10)  # seconds: the pointer is read each time
    serving = Serving(models, clock=lambda: float(next(clock)))
    monkeypatch.setattr(inference, "_FOLLOW_SECONDS", 0.02)
    photo = bot_api.photo(draw("cats", 1))
    sent = []
    async with running(serving=serving.classifier, send_rate=0) as bot:
        for number in range(10):
            promote(models, "v2" if number % 2 == 0 else "v1")
            sent += [bot_api.send(photo, person=person) for person in range(1, 11)]
            if number == 6:  # v2 serves; it is spoiled, and loaded again after v1
                spoilt = models / "v2" / "model.tflite"
                good = spoilt.read_bytes()
            if number == 7:
                spoilt.write_bytes(good[:-1])
                (models / "promoted").write_text("v2\n")
                sent += [bot_api.send(photo, person=person) for person in range(1, 11)]
                await asyncio.sleep(0.1)
                spoilt.write_bytes(good)
            expected = "v2" if number % 2 == 0 else "v1"
            while number != 7 and bot.services.pool.manifest.version != expected:
                await asyncio.sleep(0.01)
        await wait(bot_api, lambda: len(bot_api.sent) >= len(sent))
    assert sorted(reply_of(one) or 0 for one in bot_api.sent) == sorted(sent)
    assert {one["text"].split(",")[0] for one in bot_api.sent} == {"🐱 cat"}
    with closing(Store(state)) as store, store.reading() as db:
        rows = db.execute("SELECT model_version, count(*) FROM bot_photos GROUP BY 1").fetchall()
    assert {row[0] for row in rows} == {"v1", "v2"}
    assert sum(row[1] for row in rows) == len(sent)
