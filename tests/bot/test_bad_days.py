"""What goes wrong is said in a friendly sentence, and the bot goes on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from bot.answering import inference
from bot.telegram import delivery, fetch, polling
from bot.words.catalogue import words_for
from core.store.database import StoreUnusable
from tests.bot.telegram_on_loopback import BotApi, Failure

Draw = Callable[..., Any]
Encode = Callable[..., bytes]
WORDS = words_for("en")


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once."""
    monkeypatch.setattr(fetch.Fetcher.__init__, "__kwdefaults__", {"pauses": (0.0, 0.0)})
    monkeypatch.setattr(delivery.deliver, "__kwdefaults__", {"pauses": (0.0, 0.0, 0.0)})
    monkeypatch.setattr(polling, "_PAUSES_SECONDS", (0.1, 0.1, 0.1, 0.1))


async def test_files_that_cannot_be_read_get_a_sentence_each(
    bot_api: BotApi, running: Any, draw: Draw, encode: Encode
) -> None:
    photo = encode(draw("cats", 912, (400, 300)), "JPEG")
    async with running():
        big = bot_api.send_file(photo, name="big.jpg", mime_type="image/jpeg", size=25_000_000)
        cut = bot_api.send_file(photo[:999], name="cut.jpg", mime_type="image/jpeg")
        text = bot_api.send_file(b"hello there", name="text.jpg", mime_type="image/jpeg")
        empty = bot_api.send_file(b"", name="empty.png", mime_type="image/png")
        assert await said(bot_api, big) == WORDS.too_big.format(limit=20)
        assert await said(bot_api, cut) == WORDS.damaged
        assert await said(bot_api, text) == WORDS.not_an_image
        assert await said(bot_api, empty) == WORDS.damaged
        assert len(bot_api.fetched) == 3  # the big one was not asked for
        well = bot_api.send_photo(draw("dogs", 914))
        assert (await said(bot_api, well)).startswith("🐶")


async def test_a_larger_limit_lets_larger_files_through(
    bot_api: BotApi, running: Any, draw: Draw, encode: Encode
) -> None:
    photo = encode(draw("cats", 912), "JPEG")
    async with running(max_bytes=30 * 2**20):
        fine = bot_api.send_file(photo, name="big.jpg", size=25_000_000)
        assert (await said(bot_api, fine)).startswith("🐱")
        big = bot_api.send_file(photo, name="big.jpg", size=35_000_000)
        assert await said(bot_api, big) == WORDS.too_big.format(limit=30)


async def test_telegram_may_say_only_later_that_a_file_is_too_big(
    bot_api: BotApi, running: Any, draw: Draw, encode: Encode
) -> None:
    bot_api.fail("getFile", Failure(400, "Bad Request: file is too big"))
    async with running():
        number = bot_api.send_file(encode(draw("cats", 912), "JPEG"), name="cat.jpg")
        assert await said(bot_api, number) == WORDS.too_big.format(limit=20)


async def test_a_bomb_is_refused(bot_api: BotApi, running: Any, encode: Encode) -> None:
    """A progressive JPEG of a few bytes states so many pixels that it would take gigabytes."""
    small = encode(Image.new("RGB", (16, 16)), "JPEG", progressive=True)
    frame = small.index(b"\xff\xc2") + 5
    bomb = small[:frame] + b"\xf0\x00\xf0\x00" + small[frame + 4 :]
    async with running():
        number = bot_api.send_file(bomb, name="bomb.jpg")
        assert await said(bot_api, number) == WORDS.too_many_pixels


async def test_what_is_no_photo_gets_a_sentence_each(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    film = {"file_id": "v", "file_unique_id": "v", "width": 9, "height": 9, "duration": 1}
    gif = {"file_id": "g", "file_unique_id": "g", "file_name": "a.mp4", "mime_type": "video/mp4"}
    people = iter(range(100, 200))
    async with running():

        async def answer_to(content: dict[str, Any]) -> str:
            return await said(bot_api, bot_api.send(content, person=next(people)))

        assert await answer_to({"video": film}) == WORDS.video
        assert await answer_to({"animation": film, "document": gif}) == WORDS.video
        assert await answer_to(bot_api.sticker(b"x", is_animated=True)) == WORDS.moving_sticker
        assert await answer_to(bot_api.sticker(b"x", is_video=True)) == WORDS.moving_sticker
        notes = bot_api.document(b"x", name="notes.txt", mime_type="text/plain")
        assert await answer_to(notes) == WORDS.not_an_image
        voice = {"file_id": "v", "file_unique_id": "v", "duration": 1}
        assert await answer_to({"voice": voice}) == WORDS.not_a_photo
        assert "Send me a photo" in await answer_to({"text": "hello"})
        last = bot_api.send_photo(draw("cats", 1))
        assert (await said(bot_api, last)).startswith("🐱")
    assert bot_api.fetched == ["file4"]  # the last photo's large size


async def test_a_photo_deleted_before_its_download_gets_a_sentence(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    bot_api.fail("getFile", Failure(400, "Bad Request: wrong file_id", times=3))
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert await said(bot_api, number) == WORDS.gone


@pytest.mark.usefixtures("hasty")
async def test_downloads_that_break_off_are_tried_again(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """A 5xx and a cut download each cost a try; one that always breaks off gets a sentence."""
    bot_api.fail("getFile", Failure(502, "Bad Gateway"))
    bot_api.cut_downloads = 1
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")
        bot_api.cut_downloads = 1000
        never = bot_api.send_photo(draw("cats", 914))
        assert await said(bot_api, never) == WORDS.too_slow


async def test_a_download_that_takes_too_long_gets_a_sentence(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_DOWNLOAD_SECONDS", 0.2)
    bot_api.slow_downloads = 1.0
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert await said(bot_api, number) == WORDS.too_slow


async def test_a_slow_download_does_not_hold_up_the_others(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """A command is answered while eight downloads hang."""
    async with running():
        with bot_api.holding_downloads():
            slow = [bot_api.send_photo(draw("cats", n), person=100 + n) for n in range(8)]
            command = bot_api.send_text("/start", person=99)
            assert "Hello" in await said(bot_api, command)
            assert len(bot_api.sent) == 1
        for number in slow:
            assert (await said(bot_api, number)).startswith("🐱")


@pytest.mark.usefixtures("hasty")
async def test_telegrams_wish_to_wait_is_granted(bot_api: BotApi, running: Any, draw: Draw) -> None:
    """429 with retry_after: the answer comes after it, once."""
    bot_api.fail("sendMessage", Failure(429, "Too Many Requests", {"retry_after": 1}, times=2))
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        started = time.monotonic()
        assert (await said(bot_api, number)).startswith("🐱")
    assert time.monotonic() - started >= 2
    assert len(bot_api.called("sendMessage")) == 3
    assert len(bot_api.sent) == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("method", ["sendMessage", "sendPhoto"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (502, None),
        (504, None),
        (502, b"<html>Bad Gateway</html>"),
        (404, b"<html>not here</html>"),
        (400, b"[]"),
        (200, b""),
        (200, b"<html>"),
        (200, b"null"),
        (200, b'{"ok": true}'),
        (200, b'{"ok": true, "result": true}'),
        (200, b'{"ok": true, "result": {"message_id": "x"}}'),
        (302, b""),
    ],
)
async def test_an_answer_that_was_taken_and_answered_oddly_is_not_sent_twice(
    bot_api: BotApi, running: Any, draw: Draw, status: int, body: bytes | None, method: str
) -> None:
    """Nor said to have failed: that it is not known is not that it was not done."""
    bot_api.fail(method, Failure(status, "Bad Gateway", body=body, has_effect=True))
    async with running():
        number = bot_api.send_photo(
            draw("cats", 913), caption="/why" if method == "sendPhoto" else None
        )
        assert "🐱" in await said(bot_api, number)
        after = bot_api.send_photo(draw("dogs", 914))
        assert (await said(bot_api, after)).startswith("🐶")
    assert len(bot_api.sent) == 2


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_was_refused_with_an_error_code_under_200_is_sent_again(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """It says that it was not done."""
    body = b'{"ok": false, "error_code": 429, "parameters": {"retry_after": "1"}}'
    bot_api.fail("sendMessage", Failure(200, body=body))
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")
    assert len(bot_api.called("sendMessage")) == 2


@pytest.mark.usefixtures("hasty")
async def test_an_answer_that_may_have_arrived_is_not_sent_twice(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """The line breaks after Telegram took it; the photo is answered all the same, once."""
    bot_api.fail("sendMessage", Failure(0, done=True))
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")
        after = bot_api.send_photo(draw("dogs", 914))
        assert (await said(bot_api, after)).startswith("🐶")
    assert len(bot_api.replies_to(number)) == 1


async def test_who_has_blocked_the_bot_costs_one_call(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    blocked = Failure(403, "Forbidden: bot was blocked by the user", times=9)
    blocked.when = lambda fields: fields["chat_id"] == "5"
    bot_api.fail("sendMessage", blocked)
    async with running():
        bot_api.send_photo(draw("cats", 913), person=5)
        well = bot_api.send_photo(draw("dogs", 914))
        assert (await said(bot_api, well)).startswith("🐶")
        await asyncio.to_thread(bot_api.all_handed_out)
    assert len([c for c in bot_api.called("sendMessage") if c["chat_id"] == "5"]) == 1


async def test_a_group_that_became_a_supergroup_is_answered_there(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    moved = Failure(400, "Bad Request: group upgraded", {"migrate_to_chat_id": -99})
    bot_api.fail("sendMessage", moved)
    async with running(allowed_chats=frozenset({-7})):
        bot_api.send_photo(draw("cats", 913), caption="@catdog_bot", chat=-7)
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.sent) == 2)
        there = bot_api.send_photo(draw("dogs", 913), caption="@catdog_bot", chat=-99)
        assert (await said(bot_api, there)).startswith("🐶")  # it is let in there, too
        bot_api.send({"migrate_to_chat_id": -99}, chat=-7)
        await said(bot_api, bot_api.send_text("/start", chat=-99))
    (notice,) = [one for one in bot_api.sent if "CATDOG_BOT_ALLOW_CHAT" in one["text"]]
    assert notice["chat_id"] == "-99"
    answer = next(one for one in bot_api.sent if one["text"].startswith("🐱"))
    assert answer["chat_id"] == "-99"
    assert answer["text"].startswith("🐱")
    assert "reply_parameters" not in answer  # that number is another message's there


@pytest.mark.usefixtures("hasty")
async def test_another_bot_with_the_same_token_is_logged_once(
    bot_api: BotApi, running: Any, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """Conflict: it goes on asking, and answers once the other one is gone."""
    bot_api.fail("getUpdates", Failure(409, "Conflict: terminated by other getUpdates", times=3))
    with caplog.at_level(logging.WARNING):
        async with running():
            number = bot_api.send_photo(draw("cats", 913))
            assert (await said(bot_api, number)).startswith("🐱")
    lines = [r.message for r in caplog.records if "serves one bot at a time" in r.message]
    assert len(lines) == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("status", [401, 404, 500])
async def test_no_error_stops_the_bot_from_asking(
    bot_api: BotApi, running: Any, draw: Draw, status: int
) -> None:
    """A proxy that says 404 for a moment, say, which the library takes for a wrong token."""
    async with running():
        bot_api.fail("getUpdates", Failure(status, "Not Found", times=2))
        await asyncio.to_thread(
            bot_api.wait, lambda: all(one.times == 0 for one in bot_api.failures["getUpdates"])
        )
        number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")


async def test_an_update_that_cannot_be_read_is_passed_over(
    bot_api: BotApi, running: Any, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of it is logged, and those beside it are answered."""
    async with running():
        with bot_api._changed:  # one batch
            bot_api.send({"text": "Mitzi", "chat": {"id": 4242}})
            number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")
        await asyncio.to_thread(bot_api.all_handed_out)
    assert len([one for one in caplog.records if "could not be read" in one.message]) == 1
    assert "Mitzi" not in caplog.text
    assert "4242" not in caplog.text


async def test_an_outage_does_not_hold_up_the_stop(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that cannot be answered are given up, photos wait for the next start."""
    monkeypatch.setattr("bot.run._GRACE_SECONDS", 0.5)
    bot_api.fail("sendMessage", Failure(404, "Not Found", times=10**6))
    async with running():
        bot_api.send_text("/start")
        number = bot_api.send_photo(draw("cats", 913), person=5)
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.called("sendMessage")) >= 2)
    bot_api.failures.clear()
    async with running():
        assert (await said(bot_api, number)).startswith("🐱")
    assert len(bot_api.sent) == 1


async def test_an_answer_is_not_taken_back_when_it_cannot_be_noted(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnusable("the disk is full")

    monkeypatch.setattr("bot.answering.answer._finish", full)
    async with running():
        number = bot_api.send_photo(draw("cats", 913))
        assert (await said(bot_api, number)).startswith("🐱")
        await said(bot_api, bot_api.send_text("/start"))
    assert len(bot_api.replies_to(number)) == 1


async def test_a_bug_after_the_prediction_is_said_too(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.answering.answer.label_buttons", lambda *_: 1 / 0)
    async with running() as bot:
        number = bot_api.send_photo(draw("cats", 920))
        assert await said(bot_api, number) == WORDS.trouble
    assert bot.metrics.bugs._value.get() == 1


async def test_a_bug_is_logged_and_the_person_hears_of_it(
    bot_api: BotApi,
    running: Any,
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    async with running() as bot:
        monkeypatch.setattr(bot.services.pool, "_infer", broken)
        number = bot_api.send_photo(draw("cats", 920))
        assert await said(bot_api, number) == WORDS.trouble
    assert "a bug" in caplog.text
    assert bot.metrics.bugs._value.get() == 1


async def test_a_bug_in_a_command_is_logged_and_the_person_hears_of_it(
    bot_api: BotApi, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.records.tallies", lambda db: 1 / 0)
    async with running():
        number = bot_api.send_text("/stats")
        assert await said(bot_api, number) == WORDS.trouble


async def test_a_store_that_cannot_be_written_is_said_to_the_person(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """What cannot be kept before the work is not done in silence."""
    async with running() as bot:
        await bot.services.store.run(lambda db: db.execute("PRAGMA query_only = ON"))
        number = bot_api.send_photo(draw("cats", 913))
        text = await said(bot_api, number)
    assert text == WORDS.trouble


async def test_a_photo_that_was_at_work_at_two_deaths_is_not_tried_again(
    bot_api: BotApi, running: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kills the bot each time would do so for ever."""

    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    number = bot_api.send_photo(draw("cats", 913))
    monkeypatch.setattr("bot.run._GRACE_SECONDS", 0.0)
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(inference.InferencePool, "infer", hang)
            async with running() as bot:
                await asyncio.to_thread(bot_api.all_handed_out)
                while not await bot.services.store.run(_at_work):
                    await asyncio.sleep(0.01)
    assert bot_api.sent == []
    async with running():
        assert await said(bot_api, number) == WORDS.gave_up


def _at_work(db: Any) -> bool:
    return bool(db.execute("SELECT 1 FROM bot_photos WHERE state = 'working'").fetchone())
