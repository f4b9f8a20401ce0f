"""Albums, spoilers, groups that move, other bots, and people who only talk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.words.catalogue import words_for
from tests.bot.telegram_on_loopback import GROUP, BotApi, Failure, buttons_of, captioned

Draw = Callable[..., Any]
WORDS = words_for("en")


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


def video() -> dict[str, Any]:
    film = {"file_id": "v", "file_unique_id": "v", "width": 9, "height": 9, "duration": 1}
    return {"video": film}


async def test_an_albums_numbers_are_those_that_the_person_sees(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Films count, and have a line; buttons and what is pressed go by the numbers."""
    pictures = [video(), draw("cats", 1), video(), draw("dogs", 1)]
    async with running(asks_for_photos=False):
        numbers = bot_api.send_album(pictures)
        text = await said(bot_api, numbers[1])
        lines = text.split("\n")
        assert [line[:3] for line in lines[:2]] == ["2. ", "4. "]
        assert lines[2:] == [f"1, 3: {WORDS.video}"]
        answer = bot_api.replies_to(numbers[1])[0]
        assert [line[0][0] for line in buttons_of(answer)] == ["2 🐱 Cat", "4 🐱 Cat"]
        says = [one for line in buttons_of(answer) for _, one in line]
        bot_api.press(answer["message_id"], says[3])
        edit = await asyncio.to_thread(bot_api.edit_of, answer["message_id"])
        lines = edit["text"].split("\n")
        assert "✎" not in lines[0]
        assert lines[1].endswith("✎ you say: cat")
        assert lines[2] == f"1, 3: {WORDS.video}"
        assert [line[0][0] for line in buttons_of(edit)] == ["2 🐱 Cat", "✓ 4 🐱 Cat"]
        bot_api.send_text("/why", reply_to=numbers[3])
        replies = await asyncio.to_thread(bot_api.replies_to, numbers[3])
        assert replies[0]["caption"].startswith("4. 🐶")


async def test_photos_that_come_late_have_the_numbers_that_they_have(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        first = bot_api.send_album([draw("cats", 1), draw("cats", 2)])
        assert (await said(bot_api, first[0])).startswith("1. ")
        late = bot_api.send_album([draw("dogs", 1), draw("dogs", 2)])
        lines = (await said(bot_api, late[0])).split("\n")
        assert [line[:3] for line in lines] == ["3. ", "4. "]


async def test_why_over_an_album_leaves_the_others_their_numbers(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        pictures = [draw("cats", 1), draw("dogs", 1), draw("cats", 2)]
        numbers = bot_api.send_album(pictures, caption="/why")
        assert (await said(bot_api, numbers[0])).startswith("1. 🐱")
        lines = (await said(bot_api, numbers[1])).split("\n")
        assert [line[:4] for line in lines] == ["2. 🐶", "3. 🐱"]


async def test_ten_videos_get_one_sentence(bot_api: BotApi, running: Any, draw: Draw) -> None:
    async with running():
        numbers = bot_api.send_album([video() for _ in range(10)])
        assert await said(bot_api, numbers[0]) == WORDS.video
        late = bot_api.send_album([video()])
        await said(bot_api, bot_api.send_photo(draw("cats", 1)))
    assert late[0] not in bot_api.answers
    assert len(bot_api.sent) == 2


async def test_an_album_whose_film_has_the_caption_that_asks_is_answered(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    pictures = [draw("cats", 1), video() | captioned("@catdog_bot"), draw("dogs", 1)]
    async with running():
        numbers = bot_api.send_album(pictures, chat=GROUP)
        text = await said(bot_api, numbers[0])
        assert [line[:3] for line in text.split("\n")] == ["1. ", "3. ", "2: "]
        bot_api.send_album([video(), draw("cats", 1)], chat=GROUP, name="unasked")
        await said(bot_api, bot_api.send_text("/start", chat=GROUP))
    assert len(bot_api.sent) == 2


@pytest.mark.parametrize("how", ["caption", "reply", "last", "quoted"])
async def test_why_keeps_the_spoiler(bot_api: BotApi, running: Any, draw: Draw, how: str) -> None:
    hidden = {**bot_api.photo(draw("cats", 1)), "has_media_spoiler": True}
    async with running():
        if how == "caption":
            number = bot_api.send({**hidden, **captioned("/why")})
            await said(bot_api, number)
        elif how == "quoted":
            origin = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1}
            command = {"text": "/why", "entities": [
                {"type": "bot_command", "offset": 0, "length": 4}]}  # fmt: skip
            number = bot_api.send({**command, "external_reply": {"origin": origin, **hidden}})
            await said(bot_api, number)
        else:
            number = bot_api.send(hidden)
            await said(bot_api, number)
            bot_api.send_text("/why", **({"reply_to": number} if how == "reply" else {}))
            await asyncio.to_thread(bot_api.replies_to, number, at_least=2)
        plain = bot_api.send_photo(draw("cats", 1), caption="/why")
        await said(bot_api, plain)
    shown = [call.get("has_spoiler") for call in bot_api.called("sendPhoto")]
    assert shown == ["true", "false"] or shown == ["true", None]


async def test_where_no_picture_can_be_sent_nothing_is_said_of_its_bright_parts(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    bot_api.fail("sendPhoto", Failure(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
    async with running():
        text = await said(bot_api, bot_api.send_photo(draw("cats", 1), caption="/why"))
    assert text.startswith("🐱 cat, ")
    assert "bright" not in text


async def test_other_bots_are_not_answered(bot_api: BotApi, running: Any, draw: Draw) -> None:
    """Channels and anonymous admins, who speak through bots of Telegram's, are."""
    bot = {"from": {"id": 999, "is_bot": True, "first_name": "Echo", "username": "echo_bot"}}
    channel = {"sender_chat": {"id": -55, "type": "channel", "title": "Pets"}}
    asked = captioned("@catdog_bot")
    photo = bot_api.photo(draw("cats", 1)) | asked
    async with running():
        bot_api.admins.add((GROUP, 6))
        await said(bot_api, bot_api.send_text("/auto on", chat=GROUP, person=6))
        silent = [
            bot_api.send({**photo, **bot}, chat=GROUP),
            bot_api.send({**bot_api.photo(draw("cats", 2)), **bot}, chat=GROUP),
            bot_api.send({"text": "@catdog_bot", **bot, "entities": [
                {"type": "mention", "offset": 0, "length": 11}]}, chat=GROUP),
            bot_api.send({**video(), **asked, **bot}, chat=GROUP),
        ]  # fmt: skip
        spoken = bot_api.send({**photo, **bot, **channel}, chat=GROUP)
        assert (await said(bot_api, spoken)).startswith("🐱")
        await asyncio.to_thread(bot_api.all_handed_out)
    assert not any(number in bot_api.answers for number in silent)


async def test_a_group_on_the_allow_list_is_followed_when_it_moves(
    bot_api: BotApi, running: Any, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in the group, once, and lasts over a restart and a second move."""
    allowed = {"allowed_chats": frozenset({-7})}
    async with running(**allowed):
        bot_api.send({"migrate_to_chat_id": -99}, chat=-7)
        bot_api.send({"migrate_from_chat_id": -7}, chat=-99)
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=-99)
        assert (await said(bot_api, photo)).startswith("🐱")
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.sent) == 2)
    (notice,) = [one["text"] for one in bot_api.sent if "CATDOG_BOT_ALLOW_CHAT" in one["text"]]
    assert "-99" in notice
    assert "became a supergroup" in caplog.text
    assert "-99" not in caplog.text
    async with running(**allowed):
        photo = bot_api.send_photo(draw("dogs", 1), caption="/what", chat=-99)
        assert (await said(bot_api, photo)).startswith("🐶")
        bot_api.send({"migrate_from_chat_id": -99}, chat=-100)
        stranger = bot_api.send({"migrate_from_chat_id": -1}, chat=-2)
        photo = bot_api.send_photo(draw("dogs", 1), caption="/what", chat=-100)
        assert (await said(bot_api, photo)).startswith("🐶")
        bot_api.send_photo(draw("dogs", 1), caption="/what", chat=-2)
    assert stranger not in bot_api.answers
    async with running(**allowed):
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=-100)
        assert (await said(bot_api, photo)).startswith("🐱")
    assert not any(one["chat_id"] == "-2" for one in bot_api.sent)


async def test_who_only_talks_hears_once_what_the_bot_is_for(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        for chat in (None, GROUP):
            photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=chat)
            await said(bot_api, photo)
            answer = bot_api.replies_to(photo)[0]["message_id"]
            talk = [
                bot_api.send_text(text, chat=chat, reply_to=answer)
                for text in ("haha", "so cute", "really?", "well")
            ]
            talk.append(bot_api.send(
                bot_api.sticker(b"x", is_animated=True), chat=chat, reply_to=answer))  # fmt: skip
            await said(bot_api, bot_api.send_text("/start", chat=chat))
            assert sum(number in bot_api.answers for number in talk) <= 1


@pytest.mark.parametrize(("hours", "is_answered"), [(19, True), (21, False)])
async def test_photos_that_telegram_kept_are_answered_for_twenty_hours(
    bot_api: BotApi, running: Any, draw: Draw, hours: int, is_answered: bool
) -> None:
    sent = int(time.time()) - hours * 3600
    old = bot_api.send({**bot_api.photo(draw("cats", 1)), "date": sent}, person=5)
    async with running():
        await said(bot_api, bot_api.send_photo(draw("dogs", 1), person=6))
        await asyncio.to_thread(bot_api.all_handed_out)
        if is_answered:
            assert (await said(bot_api, old)).startswith("🐱")
    assert (old in bot_api.answers) == is_answered


async def test_who_may_allow_that_a_photo_is_kept_is_said_rightly(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running():
        photo = bot_api.send_photo(draw("cats", 1), caption="/what", chat=GROUP, person=5)
        await said(bot_api, photo)
        answer = bot_api.replies_to(photo)[0]
        row = buttons_of(answer)[0][0][1].split(":")[1]
        press = bot_api.press(answer["message_id"], f"c:{row}:photo", person=6)
        answered_press = await asyncio.to_thread(bot_api.answer_to_press, press)
    assert answered_press["text"] == WORDS.consent_not_yours


async def test_a_full_disk_is_said_to_who_presses_or_commands(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    async with running() as bot:
        photo = bot_api.send_photo(draw("cats", 1))
        await said(bot_api, photo)
        answer = bot_api.replies_to(photo)[0]
        says = [one for line in buttons_of(answer) for _, one in line]
        while await bot.services.store.run(_is_open):
            await asyncio.sleep(0.01)
        await bot.services.store.run(lambda db: db.execute("PRAGMA query_only = ON"))
        for one in says:
            press = bot_api.press(answer["message_id"], one)
            answered_press = await asyncio.to_thread(bot_api.answer_to_press, press)
            assert (answered_press["text"], answered_press["show_alert"]) == (WORDS.no_room, "true")
        for _ in range(8):
            forget = bot_api.send_text("/forget")
            assert await said(bot_api, forget) == WORDS.no_room
        bot_api.admins.add((GROUP, 6))
        auto = bot_api.send_text("/auto on", chat=GROUP, person=6)
        assert await said(bot_api, auto) == WORDS.no_room
        other = bot_api.send_photo(draw("dogs", 1), person=6)
        assert await said(bot_api, other) == WORDS.trouble
        start = bot_api.send_text("/start")
        assert "Hello" in await said(bot_api, start)


def _is_open(db: Any) -> bool:
    return bool(db.execute("SELECT 1 FROM bot_photos WHERE state != 'done'").fetchone())
