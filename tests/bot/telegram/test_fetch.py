"""A passing error does not end a photo, and each kind has a sentence of its own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.telegram import fetch
from bot.words.catalogue import words_for
from tests.bot.telegram_on_loopback import BotApi, Failure

Draw = Callable[..., Any]
WORDS = words_for("en")


def answer(**fields: Any) -> bytes:
    return json.dumps(
        {"ok": True, "result": {"file_id": "f", "file_unique_id": "f", **fields}}
    ).encode()


async def said(bot_api: BotApi, number: int) -> str:
    return await asyncio.to_thread(bot_api.text_for, number)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch.Fetcher.__init__, "__kwdefaults__", {"pauses": (0.0, 0.0, 0.0)})
    monkeypatch.setattr("bot.telegram.request._WAIT_SECONDS", 1)


PASSING = [
    Failure(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
    Failure(401, "Unauthorized"),
    Failure(403, "Forbidden"),
    Failure(404, "Not Found"),
    Failure(500, "Internal Server Error"),
    Failure(429, "Too Many Requests", {"retry_after": 1}),
    Failure(200, body=answer()),
    Failure(200, body=answer(file_path="")),
    Failure(200, body=answer(file_path=5)),
    Failure(200, body=b'{"ok": true, "result": true}'),
    Failure(200, body=b"<html>"),
    Failure(502, body=b"<html>"),
]


@pytest.mark.parametrize("failure", PASSING, ids=range(len(PASSING)))
async def test_one_error_of_getfile_is_passing(
    bot_api: BotApi, running: Any, draw: Draw, failure: Failure
) -> None:
    failure.times = 1
    bot_api.fail("getFile", failure)
    async with running():
        assert (await said(bot_api, bot_api.send_photo(draw("cats", 1)))).startswith("🐱")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_one_error_of_the_download_is_passing(
    bot_api: BotApi, running: Any, draw: Draw, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot_api.refused_downloads = [status]
    async with running():
        assert (await said(bot_api, bot_api.send_photo(draw("cats", 1)))).startswith("🐱")


@pytest.mark.parametrize("how", ["breaks off", "ends early", "is a page"])
async def test_a_file_that_is_cut_once_is_whole_the_next_time(
    bot_api: BotApi, running: Any, draw: Draw, how: str
) -> None:
    if how == "breaks off":
        bot_api.cut_downloads = 1
    else:
        bot_api.odd_downloads = [b"<html>" if how == "is a page" else None]
    async with running():
        assert (await said(bot_api, bot_api.send_photo(draw("cats", 1)))).startswith("🐱")


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Failure(400, "Bad Request: wrong file_id"), WORDS.gone),
        (Failure(401, "Unauthorized"), WORDS.unreached),
        (Failure(200, body=answer()), WORDS.unreached),
        (Failure(500), WORDS.too_slow),
        (Failure(400, "Bad Request: file is too big"), WORDS.too_big.format(limit=20)),
    ],
)
async def test_what_lasts_is_said_as_what_it_is(
    bot_api: BotApi, running: Any, draw: Draw, failure: Failure, sentence: str
) -> None:
    """Telegram's own limit of 20 MB, too, where a higher one was set."""
    failure.times = 99
    bot_api.fail("getFile", failure)
    async with running(max_bytes=50 * 2**20):
        assert await said(bot_api, bot_api.send_photo(draw("cats", 1))) == sentence


@pytest.mark.parametrize("how", ["no such address", "no such file"])
async def test_a_server_without_files_is_one_warning_and_one_sentence(
    bot_api: BotApi, running: Any, draw: Draw, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    if how == "no such file":
        path = "/var/lib/telegram-bot-api/nowhere/photo.jpg"
        bot_api.fail("getFile", Failure(200, body=answer(file_path=path), times=9))
    else:
        bot_api.refused_downloads = [404] * 9
    async with running():
        numbers = [bot_api.send_photo(draw("cats", n)) for n in range(3)]
        assert await said(bot_api, numbers[0]) == WORDS.unserved
        await asyncio.to_thread(bot_api.wait, lambda: len(bot_api.fetched) + sum(
            9 - one.times for one in bot_api.failures.get("getFile", [])) >= 9)  # fmt: skip
        after = bot_api.send_photo(draw("dogs", 1))
        assert (await said(bot_api, after)).startswith("🐶")
    assert len(bot_api.sent) == 2
    lines = [one.message for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(lines) == 2
    assert "doctor --bot" in lines[0]
    assert "hands out files again" in lines[1]


async def test_a_local_servers_file_is_read_from_the_disk(
    bot_api: BotApi, running: Any, draw: Draw, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    draw("dogs", 1).save(path)
    body = answer(file_path=str(path), file_size=path.stat().st_size)
    bot_api.fail("getFile", Failure(200, body=body))
    async with running():
        assert (await said(bot_api, bot_api.send_photo(draw("cats", 1)))).startswith("🐶")


async def test_a_relative_path_is_no_file_of_the_current_folder(
    bot_api: BotApi, running: Any, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running():
        photo = bot_api.photo(draw("cats", 1))
        path = Path("p") / photo["photo"][-1]["file_id"]
        path.parent.mkdir()
        draw("dogs", 1).save(path, "JPEG")
        assert (await said(bot_api, bot_api.send(photo))).startswith("🐱")


async def test_one_slow_album_leaves_downloads_to_others(
    bot_api: BotApi, running: Any, draw: Draw
) -> None:
    """Ten photos whose downloads hang, and a photo of somebody else that does not wait."""
    album = [draw("cats", n) for n in range(10)]
    async with running():
        with bot_api.holding_downloads():
            numbers = bot_api.send_album(album, person=1)
            await asyncio.to_thread(bot_api.wait, lambda: bot_api.waiting_downloads == 3)
            bot_api.held_downloads = None
            other = bot_api.send_photo(draw("dogs", 1), person=2)
            await said(bot_api, other)
            assert numbers[0] not in bot_api.answers
        await said(bot_api, numbers[0])
