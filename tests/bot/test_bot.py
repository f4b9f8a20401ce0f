"""The real Application against a Bot API server on loopback."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from bot import handlers, inference, replies
from bot.app import build_application
from bot.logs import keep_out_of_logs
from catdog import main
from core.classifier import Classifier

Draw = Callable[..., Any]


@asynccontextmanager
async def running(token: str, classifier: Classifier, url: str) -> AsyncIterator[Any]:
    application = build_application(token, classifier, threshold=0.6, api_url=url)
    async with application:
        await application.start()
        await application.updater.start_polling(poll_interval=0, timeout=1)
        try:
            yield application
        finally:
            await application.updater.stop()
            await application.stop()
    await application.post_shutdown(application)


async def replies_to(bot_api: Any, number: int, at_least: int = 1) -> list[str]:
    found: list[str] = await asyncio.to_thread(bot_api.replies_to, number, at_least=at_least)
    return found


async def test_photos_are_answered_with_label_and_confidence_as_a_reply(
    bot_api: Any, token: str, classifier: Classifier, draw: Draw
) -> None:
    async with running(token, classifier, bot_api.url):
        sent = {kind: bot_api.send_photo(draw(kind, 910)) for kind in ("cats", "dogs", "other")}
        answers = {kind: (await replies_to(bot_api, number))[0] for kind, number in sent.items()}
    assert answers["cats"].startswith("Cat, ")
    assert answers["cats"].endswith(" %")
    assert answers["dogs"].startswith("Dog, ")
    assert answers["other"].startswith("Neither cat nor dog (")
    assert "file0" not in bot_api.fetched  # the small size


@pytest.mark.parametrize(
    ("format", "name", "mime_type"),
    [
        ("PNG", "cat.png", "image/png"),
        ("WEBP", "cat.webp", None),
        ("TIFF", "cat.TIF", "application/octet-stream"),
    ],
)
async def test_an_image_sent_as_a_file_is_answered(
    bot_api: Any,
    token: str,
    classifier: Classifier,
    draw: Draw,
    encode: Callable[..., bytes],
    format: str,
    name: str,
    mime_type: str | None,
) -> None:
    content = encode(draw("cats", 911), format)
    async with running(token, classifier, bot_api.url):
        number = bot_api.send_file(content, name=name, mime_type=mime_type)
        assert (await replies_to(bot_api, number))[0].startswith("Cat, ")


async def test_files_that_cannot_be_looked_at_get_a_sentence_and_the_bot_goes_on(
    bot_api: Any, token: str, classifier: Classifier, draw: Draw, encode: Callable[..., bytes]
) -> None:
    photo = encode(draw("cats", 912, (400, 300)), "JPEG")
    async with running(token, classifier, bot_api.url):
        big = bot_api.send_file(photo, name="big.jpg", mime_type="image/jpeg", size=25_000_000)
        cut = bot_api.send_file(photo[:999], name="cut.jpg", mime_type="image/jpeg")
        text = bot_api.send_file(b"hello there", name="text.jpg", mime_type="image/jpeg")
        assert await replies_to(bot_api, big) == [replies.TOO_BIG]
        assert await replies_to(bot_api, cut) == [replies.DAMAGED]
        assert await replies_to(bot_api, text) == [replies.NOT_READABLE]
        assert len(bot_api.fetched) == 2  # the big one was not asked for
        bot_api.fail_downloads = True
        gone = bot_api.send_photo(draw("cats", 913))
        assert await replies_to(bot_api, gone) == [replies.TRY_AGAIN]
        bot_api.fail_downloads = False
        well = bot_api.send_photo(draw("dogs", 914))
        assert (await replies_to(bot_api, well))[0].startswith("Dog, ")


async def test_a_bomb_is_refused(
    bot_api: Any, token: str, classifier: Classifier, monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    monkeypatch.setattr("core.image.MAX_STATED_PIXELS", 100)
    async with running(token, classifier, bot_api.url):
        number = bot_api.send_photo(draw("cats", 915))
        assert await replies_to(bot_api, number) == [replies.TOO_MANY_PIXELS]


async def test_start_is_greeted_and_edits_and_channels_are_left_alone(
    bot_api: Any, token: str, classifier: Classifier, draw: Draw
) -> None:
    command = {"text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}
    async with running(token, classifier, bot_api.url):
        bot_api.send_photo(draw("cats", 916), kind="edited_message")
        bot_api.send_photo(draw("cats", 917), kind="channel_post")
        bot_api.send({"text": "hello"})
        bot_api.send_file(b"x", name="notes.txt", mime_type="text/plain")
        bot_api.send(command)
        last = bot_api.send_photo(draw("dogs", 918))
        await replies_to(bot_api, last)
    texts = [message["text"] for message in bot_api.sent]
    assert sorted(texts, key=len)[0].startswith("Dog, ")
    assert [text for text in texts if "Send me a photo" in text and "cat, dog" in text]
    assert len(texts) == 2


async def test_the_loop_goes_on_while_a_photo_is_looked_at(
    bot_api: Any,
    token: str,
    classifier: Classifier,
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that comes while the network is busy is answered first."""
    free = threading.Event()
    real = inference.predict_photo

    def busy(*arguments: Any) -> Any:
        assert free.wait(60)
        return real(*arguments)

    monkeypatch.setattr(inference, "predict_photo", busy)
    command = {"text": "/help", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}
    async with running(token, classifier, bot_api.url):
        photo = bot_api.send_photo(draw("cats", 919))
        bot_api.send(command)
        for _ in range(600):
            if bot_api.sent:
                break
            await asyncio.sleep(0.05)
        assert ["Send me a photo" in message["text"] for message in bot_api.sent] == [True]
        free.set()
        assert (await replies_to(bot_api, photo))[0].startswith("Cat, ")


async def test_a_bug_is_logged_without_the_token_and_the_person_is_told(
    bot_api: Any,
    token: str,
    classifier: Classifier,
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """At any level, traceback included."""
    root = logging.getLogger()
    log = logging.FileHandler(tmp_path / "log.txt")
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        keep_out_of_logs(token)

        def broken(*_: object) -> None:
            raise RuntimeError(f"a bug that holds the token {token}")

        monkeypatch.setattr(handlers, "decide", broken)
        async with running(token, classifier, bot_api.url):
            number = bot_api.send_photo(draw("cats", 920))
            assert await replies_to(bot_api, number) == [replies.TRY_AGAIN]
    finally:
        root.removeHandler(log)
        root.setLevel(level)
        log.close()
    written = (tmp_path / "log.txt").read_text()
    assert "a bug that holds the token <token>" in written
    assert "/bot<token>/getUpdates" in written  # httpx's own line
    assert token not in written
    assert quote(token, safe="") not in written


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_the_command_answers_and_stops_on_sigterm(
    bot_api: Any, token: str, tiny_model: Path, draw: Draw, tmp_path: Path
) -> None:
    written = (tmp_path / "output.txt").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "catdog", "--log-level", "debug", "bot", "--model", tiny_model],
        env={
            **os.environ,
            "CATDOG_BOT_TOKEN": token,
            "CATDOG_BOT_API_URL": bot_api.url,
            "PYTHONUNBUFFERED": "1",
        },
        stdout=written,
        stderr=subprocess.STDOUT,
    )
    try:
        number = bot_api.send_photo(draw("dogs", 921))
        assert bot_api.replies_to(number)[0].startswith("Dog, ")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        written.close()
    output = (tmp_path / "output.txt").read_text()
    assert process.returncode == 0, output
    assert "The bot runs with the model" in output
    assert output.rstrip().endswith("Stopped.")
    assert token not in output


def run_bot(token: str, model: Path, url: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: run_polling closes the event loop that it runs in."""
    return subprocess.run(
        [sys.executable, "-m", "catdog", "bot", "--model", str(model), "--api-url", url],
        env={**os.environ, "CATDOG_BOT_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_wrong_token_is_refused_without_repeating_it(bot_api: Any, tiny_model: Path) -> None:
    wrong = "999999:not-the-token-that-telegram-gave"
    result = run_bot(wrong, tiny_model, bot_api.url)
    assert result.returncode == 2
    assert "does not accept the token" in result.stdout
    assert wrong not in result.stdout


def test_a_server_that_is_not_there_is_told_without_the_token(token: str, tiny_model: Path) -> None:
    result = run_bot(token, tiny_model, "http://127.0.0.1:9")
    assert result.returncode == 1
    assert "cannot be reached (NetworkError)" in result.stdout
    assert "Traceback" not in result.stdout
    assert token not in result.stdout


def test_without_a_token_it_says_where_to_get_one() -> None:
    result = CliRunner().invoke(main, ["bot"])
    assert result.exit_code == 2
    assert "@BotFather" in result.output
