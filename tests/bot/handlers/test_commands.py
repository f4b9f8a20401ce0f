"""The commands: what they say, in whose language, and the heat map."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.model.classifier import Classifier
from core.model.manifest import Manifest, Outputs, read_manifest
from tests.bot.telegram_on_loopback import GROUP, BotApi, Failure

Draw = Callable[..., Any]


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


async def test_start_and_help_say_what_it_does(bot_api: BotApi, running: Any) -> None:
    async with running():
        text = await said(bot_api, bot_api.send_text("/start"))
        assert "a cat or a dog" in text
        text = await said(bot_api, bot_api.send_text("/help"))
        assert "@catdog_bot" in text
        text = await said(bot_api, bot_api.send_text("/start", language="de"))
        assert "eine Katze oder ein Hund" in text
        unknown = bot_api.send_text("/nonsense")
        assert "Send me a photo" in await said(bot_api, unknown)
        bot_api.send_text("/nonsense", chat=GROUP)
        others = bot_api.send_text("/start@another_bot", chat=GROUP)
        last = bot_api.send_text("/start@catdog_bot", chat=GROUP)
        assert "Hello" in await said(bot_api, last)
    assert others not in bot_api.answers
    assert len(bot_api.sent) == 5


async def test_the_menu_is_set_in_every_language(bot_api: BotApi, running: Any) -> None:
    async with running():
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.called("setMyCommands")) == 5)
    menus = bot_api.called("setMyCommands")
    assert [menu.get("language_code") for menu in menus] == ["de", None, "es", "fr", "it"]
    for menu in menus:
        names = [command["command"] for command in json.loads(menu["commands"])]
        assert set(names) == {
            "start", "help", "what", "why", "stats", "model", "privacy", "forget", "auto"
        }  # fmt: skip


async def test_a_menu_that_cannot_be_set_keeps_nobody_waiting(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    bot_api.fail("setMyCommands", Failure(500, times=99))
    async with running():
        assert (await said(bot_api, bot_api.send_photo(draw("cats", 1)))).startswith("🐱")


async def test_stats_count_what_was_seen_and_said(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running(threshold=0.6):
        assert "not looked at any" in await said(bot_api, bot_api.send_text("/stats"))
        for kind in ("cats", "cats", "dogs", "other"):
            number = bot_api.send_photo(draw(kind, 1))
            await said(bot_api, number)
        answer = bot_api.replies_to(number)[0]
        for label in ("other", "cat"):  # a change of mind counts once
            press = bot_api.press(answer["message_id"], f"l:4:{label}")
            await asyncio.to_thread(bot_api.answer_to_press, press)
        text = await said(bot_api, bot_api.send_text("/stats"))
    assert text.splitlines() == [
        "Photos I have looked at so far: 4. cat: 2, dog: 1, neither: 1, not sure: 0",
        "Answers that people judged: 1, of them right: 1.",
    ]


async def test_model_says_which_and_how_good(
    bot_api: BotApi, running: Any, tiny_model: Path
) -> None:
    manifest = read_manifest(tiny_model)
    async with running(threshold=None):
        text = await said(bot_api, bot_api.send_text("/model"))
    assert manifest.version in text
    assert "at least 60 % sure" in text
    assert f"Of {manifest.metrics['validation']['photos']} photos" in text


async def test_model_tells_the_lowest_threshold_of_what_it_says(
    bot_api: BotApi, running: Any, tiny_model: Path, with_classes: Any
) -> None:
    """What is of neither is no kind, and a threshold that was asked for raises the lower ones."""
    cat, dog, other = read_manifest(tiny_model).classes
    model = with_classes([cat.with_threshold(0.9), dog.with_threshold(0.7), other])
    for asked, words in ((None, "at least 70 % sure"), (0.8, "at least 80 % sure")):
        async with running(model, threshold=asked):
            assert words in await said(bot_api, bot_api.send_text("/model"))


async def test_stats_count_photos_of_both(
    bot_api: BotApi, running: Any, draw: Draw, knows_both: Classifier
) -> None:
    async with running(knows_both) as bot:
        for kind in ("cats", "other", "other"):
            await said(bot_api, bot_api.send_photo(draw(kind, 1)))
        while await bot.services.store.run(_is_open):  # counted once it is known to be sent
            await asyncio.sleep(0.01)
        text = await said(bot_api, bot_api.send_text("/stats", language="de"))
    assert text == (
        "Fotos, die ich bisher angesehen habe: 3. Katze: 1, Hund: 0, beides: 2, nicht sicher: 0"
    )


async def test_why_shows_the_heatmap(
    bot_api: BotApi, running: Any, draw: Draw, tiny_model: Path, with_classes: Any
) -> None:
    """As a reply to the photo, to its answer, and in private to the last photo.

    The picture is bright where the cat is.
    """
    scene = draw("cats", 1, (96, 96))
    scene.paste(draw("other", 1, (40, 40)), (56, 56))
    classes = read_manifest(tiny_model).classes
    always_sure = with_classes([one.with_threshold(0.0) for one in classes])
    async with running(always_sure, threshold=None) as bot:
        photo = bot_api.send_photo(scene)
        answer = await said(bot_api, photo)
        while await bot.services.store.run(_is_open):
            await asyncio.sleep(0.01)
        message = bot_api.replies_to(photo)[0]["message_id"]
        for how in ({"reply_to": photo}, {"reply_to": message}, {}):
            bot_api.send_text("/why", **how)
        replies = await asyncio.to_thread(bot_api.replies_to, photo, at_least=4)
        captioned = bot_api.send_photo(scene, caption="/why")
        assert "bright parts" in await said(bot_api, captioned)
    assert answer.startswith("🐱")
    assert [one["caption"] for one in replies[1:]] == [
        f"{answer}. The bright parts made me think so."
    ] * 3
    picture = np.asarray(Image.open(io.BytesIO(bot_api.pictures[0])).convert("RGB")).astype(float)
    assert picture.shape == (96, 96, 3)
    cat, other = picture[:40, :40].mean(axis=(0, 1)), picture[72:, 72:].mean(axis=(0, 1))
    assert cat[0] + cat[1] > other[0] + other[1] + 50  # yellow, not the dark of nothing


def _is_open(db: Any) -> bool:
    return bool(db.execute("SELECT 1 FROM bot_photos WHERE state != 'done'").fetchone())


async def test_why_without_a_photo_says_how_to_ask(bot_api: BotApi, running: Any) -> None:
    async with running():
        alone = bot_api.send_text("/why")
        assert "Reply with /why" in await said(bot_api, alone)
        words = bot_api.send_text("hello")
        await said(bot_api, words)
        reply = bot_api.send_text("/why", reply_to=words)
        assert "Reply with /why" in await said(bot_api, reply)
        group = bot_api.send_text("/why", chat=GROUP)
        assert "Reply with /why" in await said(bot_api, group)


async def test_a_model_that_cannot_say_why_says_so(
    bot_api: BotApi, running: Any, draw: Draw, tiny_model: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(tiny_model)
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    assert manifest.outputs is not None
    without: Manifest = replace(manifest, outputs=Outputs(manifest.outputs.logits, None))
    without.write(tmp_path)
    async with running(Classifier(tmp_path)):
        text = await said(bot_api, bot_api.send_photo(draw("cats", 1), caption="/why"))
    assert f"this model ({manifest.version}) cannot show" in text
    assert bot_api.pictures == []


async def test_strangers_get_their_number_once(bot_api: BotApi, running: Any, draw: Draw) -> None:
    """Only people and groups on the list are answered."""
    allowed = {"allowed_users": frozenset({5}), "allowed_chats": frozenset({GROUP})}
    async with running(**allowed):
        stranger = bot_api.send_text("/start", person=8)
        assert "Your number is 8" in await said(bot_api, stranger)
        bot_api.send_photo(draw("cats", 1), person=8)
        bot_api.send_photo(draw("cats", 1), caption="/what", person=8, chat=-1234)
        for how in ({"person": 5}, {"person": 8, "chat": GROUP}, {"person": 5, "chat": -1234}):
            number = bot_api.send_photo(draw("cats", 1), caption="/what", **how)
            assert (await said(bot_api, number)).startswith("🐱")
    assert len(bot_api.sent) == 4


@pytest.mark.parametrize("command", ["/help", "/nonsense"])
async def test_who_floods_with_commands_is_not_answered_for_ever(
    bot_api: BotApi, running: Any, command: str
) -> None:
    async with running():
        for _ in range(60):
            bot_api.send_text(command, person=5)
        other = bot_api.send_text("/start", person=6)
        assert "Hello" in await said(bot_api, other)
        await asyncio.to_thread(bot_api.all_handed_out)
    assert len([one for one in bot_api.sent if one["chat_id"] == "5"]) <= 25
