"""The bot as a process: started, stopped, killed, and started again; what it writes."""

from __future__ import annotations

import importlib.util
import io
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store.database import Store
from core.store.feedback_table import recorded
from tests.bot.telegram_on_loopback import DEADLINE, BotApi, Failure, buttons_of

Draw = Callable[..., Any]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


class Process:
    """`catdog bot`, against the server on loopback."""

    def __init__(self, api: BotApi, model: Path, folder: Path, token: str) -> None:
        self.api = api
        self.folder = folder
        self.state = folder / "state"
        self._command = [sys.executable, "-m", "catdog", "--log-level", "info", "bot"]
        self._environment = {
            **os.environ,
            "CATDOG_BOT_TOKEN": token,
            "CATDOG_BOT_API_URL": api.url,
            "CATDOG_STATE_DIR": str(self.state),
            "CATDOG_MODEL": str(model),
            "CATDOG_THRESHOLD": "0.6",
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *options: str, **environment: str) -> None:
        with (self.folder / "output.txt").open("a") as written:
            self._process = subprocess.Popen(
                [*self._command, *options],
                env={**self._environment, **environment},
                stdout=written,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """As a service manager does; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=60)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(timeout=60)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while "The bot runs" not in self.output:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the store beside the bot."""
        try:
            with sqlite3.connect(self.state / "catdog.sqlite3", timeout=10) as store:
                return store.execute(sql).fetchall()
        except sqlite3.OperationalError:  # it is not there yet
            return []

    def wait_for(self, sql: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not self.query(sql):
            assert time.monotonic() < deadline, (sql, self.query("SELECT * FROM bot_photos"))
            time.sleep(0.01)


@pytest.fixture
def process(bot_api: BotApi, tiny_model: Path, tmp_path: Path, token: str) -> Iterator[Process]:
    process = Process(bot_api, tiny_model, tmp_path, token)
    yield process
    if process._process is not None:
        process.kill()


def test_it_answers_and_stops_on_sigterm(
    process: Process, bot_api: BotApi, draw: Draw, token: str
) -> None:
    process.start("--send-rate", "0")
    assert bot_api.text_for(bot_api.send_photo(draw("dogs", 921))).startswith("🐶")
    assert process.stop() == 0
    assert "The bot runs with the model" in process.output
    assert process.output.rstrip().endswith("Stopped.")
    assert token not in process.output


def test_what_is_waiting_is_answered_before_it_stops(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """Downloads take their time; the stop comes while all are in hand."""
    bot_api.slow_downloads = 1.0
    process.start()
    numbers = [bot_api.send_photo(draw("cats", n), person=n) for n in range(1, 12)]
    process.wait_for("SELECT 1 FROM (SELECT count(*) AS n FROM bot_photos) WHERE n = 11")
    assert process.stop() == 0
    assert all(len(bot_api.answers.get(number, [])) == 1 for number in numbers)


def test_a_second_signal_stops_at_once_and_the_rest_is_answered_later(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    bot_api.slow_downloads = 30.0
    process.start()
    number = bot_api.send_photo(draw("cats", 1))
    bot_api.wait(lambda: bot_api.fetched)
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.5)
    assert process.stop() == 0
    assert number not in bot_api.answers
    bot_api.slow_downloads = 0.0
    process.start()
    assert bot_api.text_for(number).startswith("🐱")


def test_what_was_accepted_is_answered_after_a_kill(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """Photos alone and an album, in the order in which they came, each once."""
    bot_api.slow_downloads = 30.0
    process.start()
    first = bot_api.send_photo(draw("cats", 1))
    album = bot_api.send_album([draw("dogs", n) for n in range(3)])
    last = bot_api.send_photo(draw("dogs", 9))
    process.wait_for("SELECT 1 FROM (SELECT count(*) AS n FROM bot_photos) WHERE n = 5")
    bot_api.wait(lambda: bot_api.fetched)
    process.kill()
    assert bot_api.sent == []
    bot_api.slow_downloads = 0.0
    process.start()
    assert bot_api.text_for(last).startswith("🐶")
    assert [bot_api.text_for(number)[:2] for number in (first, album[0])] == ["🐱 ", "1."]
    assert bot_api.text_for(album[0]).count("🐶") == 3
    assert process.stop() == 0
    assert len(bot_api.sent) == 3


def test_photos_older_than_twenty_hours_are_not_answered_after_a_kill(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    bot_api.slow_downloads = 30.0
    process.start()
    old, young = (bot_api.send_photo(draw("cats", n), person=n) for n in (1, 2))
    process.wait_for("SELECT 1 FROM (SELECT count(*) AS n FROM bot_photos) WHERE n = 2")
    process.kill()
    with sqlite3.connect(process.state / "catdog.sqlite3") as store:
        store.execute("UPDATE bot_photos SET at = at - 20.1 * 3600 WHERE person = 1")
        store.execute("UPDATE bot_photos SET at = at - 19.9 * 3600 WHERE person = 2")
    bot_api.slow_downloads = 0.0
    process.start()
    bot_api.text_for(young)
    assert process.stop() == 0
    assert old not in bot_api.answers


def test_an_answer_that_telegram_took_is_not_sent_again_after_a_kill(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """The kill comes between Telegram's taking it and the bot's hearing so."""
    bot_api.fail("sendMessage", Failure(0, done=True, hold=30.0))
    process.start()
    number = bot_api.send_photo(draw("cats", 1))
    bot_api.replies_to(number)
    process.kill()
    process.start()
    other = bot_api.send_photo(draw("dogs", 2), redeliver=True)
    bot_api.text_for(other)
    assert process.stop() == 0
    assert len(bot_api.answers[number]) == 1
    assert len(bot_api.answers[other]) == 1


def test_answers_that_wait_for_their_turn_survive_a_kill(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """The library lets one message a second through; the others have not been sent."""
    process.start("--send-rate", "1")
    numbers = [bot_api.send_photo(draw("cats", n), person=n) for n in range(1, 9)]
    bot_api.wait(lambda: len(bot_api.sent) == 2)
    process.kill()
    taken = len(bot_api.sent)
    assert taken < 8
    process.start("--send-rate", "30")
    for number in numbers:
        bot_api.text_for(number)
    assert process.stop() == 0
    assert {number: len(bot_api.answers[number]) for number in numbers} == dict.fromkeys(numbers, 1)


def test_feedback_is_not_lost_once_the_button_said_so(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    process.start()
    number = bot_api.send_photo(draw("cats", 1))
    answer = bot_api.replies_to(number)[0]
    ((_, (_, says), _),) = buttons_of(answer)
    bot_api.answer_to_press(bot_api.press(answer["message_id"], says))
    process.kill()
    store = Store(process.state)
    assert [one.label for one in recorded(store)] == ["dog"]
    store.close()


def kill_at_random(process: Process, draw: Draw, kills: int, seed: int) -> tuple[int, int]:
    """Send photos and kill the bot, over and over.

    Returns: how many photos were answered, and how many stood at being sent in a kill's moment.
    """
    api, dice = process.api, random.Random(seed)
    api.answer_after = 0.02
    sent: list[int] = []
    for _ in range(kills):
        process.start("--send-rate", "0")
        for _ in range(dice.randrange(4, 12)):
            picture = draw(dice.choice(["cats", "dogs", "other"]), dice.randrange(10**6))
            sent.append(api.send_photo(picture, person=dice.randrange(1, 5), redeliver=True))
        answered = len(api.sent)
        api.wait(lambda: len(api.sent) > answered or not api._updates)  # noqa: B023
        time.sleep(dice.random() * 0.3)
        process.kill()
    process.start("--send-rate", "0")
    last = api.send_photo(draw("cats", 1), person=99)
    api.text_for(last)
    process.wait_for("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM bot_photos WHERE state != 'done')")
    api.all_handed_out()
    process.wait_for("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM bot_photos WHERE state != 'done')")
    assert process.stop() == 0
    twice = [number for number in sent if len(api.answers.get(number, [])) > 1]
    assert twice == []
    missing = {number for number in sent if number not in api.answers}
    unknown = process.query("SELECT message FROM bot_photos WHERE answer IS NULL")
    # only a photo whose answer was on the wire may be without one: it must not be sent twice
    assert missing <= {message for (message,) in unknown}
    return len(sent) - len(missing), len(unknown)


@pytest.mark.long
def test_kills_at_random_lose_no_photo_and_double_none(process: Process, draw: Draw) -> None:
    answered, _ = kill_at_random(process, draw, kills=3, seed=1)
    assert answered >= 10


@pytest.mark.long
def test_sixty_kills_at_random(process: Process, draw: Draw) -> None:
    answered, unknown = kill_at_random(process, draw, kills=60, seed=2)
    assert answered >= 200
    assert unknown <= 60 * 4  # at most one a person and kill


@pytest.mark.long
def test_the_token_is_in_nothing_that_is_written_or_shown(
    process: Process, bot_api: BotApi, draw: Draw, token: str
) -> None:
    """At any level: logs, replies, the process list, the environment of children, the store."""
    secret = process.folder / "token"
    secret.write_text(f"{token}\n")
    for level in ("debug", "info", "warning", "error"):
        bot_api.fail("getFile", Failure(500, f"failed at /bot{token}/getFile", times=1))
        bot_api.fail("getUpdates", Failure(502, "Bad Gateway", times=1))
        refused = Failure(400, f"Bad Request: {token}", times=1)
        refused.when = lambda fields: fields["chat_id"] == "5"
        bot_api.fail("sendMessage", refused)
        process.start(
            CATDOG_LOG_LEVEL=level,
            CATDOG_BOT_TOKEN="",
            CATDOG_BOT_TOKEN_FILE=str(secret),
            CATDOG_BOT_LOG_JSON="1" if level == "info" else "",
        )
        bot_api.send_photo(draw("cats", 1), person=5)
        bot_api.text_for(bot_api.send_photo(draw("dogs", 2), person=6))
        listed = Path(f"/proc/{process.pid}")
        if listed.exists():
            assert token.encode() not in (listed / "cmdline").read_bytes()
            assert token.encode() not in (listed / "environ").read_bytes()
        assert process.stop() == 0
    secret.unlink()
    for file in process.folder.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file
    assert not [message for message in bot_api.sent if token in str(message)]


def test_logs_hold_nothing_about_people(process: Process, bot_api: BotApi, draw: Draw) -> None:
    """No names, numbers, texts or files of theirs, even at debug level."""
    process.start(CATDOG_LOG_LEVEL="debug")
    number = bot_api.send_photo(draw("cats", 1), person=424242, caption="my cat Mitzi")
    bot_api.text_for(number)
    bot_api.text_for(bot_api.send_text("hello Mitzi", person=424242))
    notes = bot_api.send_file(b"x", name="Mitzi.pdf", mime_type="image/pdf", person=424242)
    bot_api.text_for(notes)
    assert process.stop() == 0
    assert "answered a photo purpose=what outcome=cat" in process.output
    for personal in ("424242", "Ann", "Mitzi"):
        assert personal not in process.output


def test_health_and_metrics_are_shown_on_loopback(
    process: Process, bot_api: BotApi, draw: Draw, free_port: int
) -> None:
    process.start("--health-port", str(free_port))
    bot_api.text_for(bot_api.send_photo(draw("cats", 1)))
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/health", timeout=5) as response:
        assert response.read() == b'{"status": "ok"}'
    process.wait_for("SELECT 1 FROM bot_photos WHERE state = 'done'")
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=5) as response:
        metrics = response.read().decode()
    assert 'catdog_bot_answers_total{outcome="cat"} 1.0' in metrics
    assert "catdog_bot_waiting 0.0" in metrics
    assert "process_resident_memory_bytes" in metrics or sys.platform != "linux"


def test_a_webhook_takes_messages_with_its_secret_only(
    process: Process, bot_api: BotApi, draw: Draw, free_port: int
) -> None:
    process.start(
        "--webhook-url", "https://bot.example/hook/1", "--webhook-port", str(free_port),
        CATDOG_BOT_WEBHOOK_SECRET="a-secret-of-the-proxy",
    )  # fmt: skip
    process.wait_until_ready()
    assert bot_api.webhook is not None
    assert bot_api.webhook["secret_token"] == "a-secret-of-the-proxy"
    assert bot_api.webhook["url"] == "https://bot.example/hook/1"
    bot_api.webhook["posts_to"] = f"http://127.0.0.1:{free_port}/hook/1"
    forged = {"update_id": 1, "message": bot_api._message(1, {"text": "/start"}, 5, None, None)}
    assert bot_api.post(forged, secret="a guess") == 403
    assert bot_api.text_for(bot_api.send_photo(draw("cats", 1))).startswith("🐱")
    assert len(bot_api.sent) == 1
    assert process.stop() == 0
    assert "a-secret-of-the-proxy" not in process.output
    process.start()  # polling again takes the webhook away
    bot_api.wait(lambda: bot_api.webhook is None)
    assert bot_api.text_for(bot_api.send_photo(draw("dogs", 2))).startswith("🐶")


@pytest.mark.long
def test_a_wrong_token_is_refused_without_repeating_it(process: Process) -> None:
    wrong = "999999:not-the-token-that-telegram-gave"
    process.start(CATDOG_BOT_TOKEN=wrong)
    assert process.wait() == 2
    assert "does not accept the token" in process.output
    assert wrong not in process.output


@pytest.mark.long
def test_a_token_that_is_refused_for_some_seconds_is_waited_for(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """A server that starts, or what stands before it, says 401 or 404."""
    bot_api.fail("getMe", Failure(404, "Not Found", times=2))
    bot_api.fail("getMe", Failure(401, "Unauthorized", times=1))
    process.start()
    assert bot_api.text_for(bot_api.send_photo(draw("cats", 1))).startswith("🐱")


@pytest.mark.long
def test_a_second_bot_with_the_same_state_folder_says_who_is_at_work(
    process: Process, bot_api: BotApi, draw: Draw, tiny_model: Path, tmp_path: Path, token: str
) -> None:
    """And answers nothing of what waits for the first; after a kill the folder is free again."""
    process.start()
    process.wait_until_ready()
    (tmp_path / "second").mkdir()
    second = Process(bot_api, tiny_model, tmp_path / "second", token)
    with bot_api.holding_downloads():
        number = bot_api.send_photo(draw("cats", 1))
        bot_api.wait(lambda: bot_api.fetched)
        second.start(CATDOG_STATE_DIR=str(process.state))
        assert second.wait() == 5
    assert f"process {process.pid} on" in second.output
    assert "Traceback" not in second.output
    assert bot_api.text_for(number).startswith("🐱")
    assert len(bot_api.answers[number]) == 1
    process.kill()
    second.start(CATDOG_STATE_DIR=str(process.state))
    assert bot_api.text_for(bot_api.send_photo(draw("dogs", 2))).startswith("🐶")
    assert second.stop() == 0


def test_photos_that_a_webhook_acknowledged_are_answered_after_a_kill(
    process: Process, bot_api: BotApi, draw: Draw, free_port: int
) -> None:
    webhook = ("--webhook-url", "https://bot.example/hook", "--webhook-port", str(free_port))
    process.start(*webhook, "--send-rate", "0")
    process.wait_until_ready()
    assert bot_api.webhook is not None
    bot_api.webhook["posts_to"] = f"http://127.0.0.1:{free_port}/hook"
    bot_api.slow_downloads = 30.0
    photo = bot_api.photo(draw("cats", 1))
    numbers = [bot_api.send(photo, person=person) for person in range(1, 61)]
    process.kill()  # the last was acknowledged just now
    bot_api.slow_downloads = 0.0
    process.start(*webhook, "--send-rate", "0")
    for number in numbers:
        assert bot_api.text_for(number).startswith("🐱")
    assert process.stop() == 0
    assert {len(bot_api.answers[number]) for number in numbers} == {1}


def test_the_watchdog_is_fed_by_what_does_the_work(
    process: Process, bot_api: BotApi, tmp_path: Path
) -> None:
    """Signs of life come while Telegram is asked, and none while its answer is waited for."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(DEADLINE)
        bot_api.fail("getUpdates", Failure(0, done=True, hold=2.0, times=1))
        process.start(NOTIFY_SOCKET=address, WATCHDOG_USEC="200000")
        said = [manager.recv(100) for _ in range(3)]
        assert said[0] == b"READY=1"
        assert said[1:] == [b"WATCHDOG=1"] * 2
        assert len(bot_api.called("getUpdates")) >= 2  # none came with the first, which hung
        assert process.stop() == 0


def test_an_outage_is_a_line_when_it_begins_and_a_line_when_it_ends(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    process.start(CATDOG_LOG_LEVEL="info")
    process.wait_until_ready()
    away = bot_api.photo(draw("cats", 1))
    for method in ("getUpdates", "sendMessage", "getFile"):
        bot_api.fail(method, Failure(404 if method == "sendMessage" else 502, times=2))
    numbers = [bot_api.send(away, person=person) for person in range(1, 6)]
    for number in numbers:
        bot_api.text_for(number)
    bot_api.wait(lambda: all(f.times == 0 for fs in bot_api.failures.values() for f in fs))
    bot_api.text_for(bot_api.send_photo(draw("dogs", 1), person=9))
    assert process.stop() == 0
    lines = [line for line in process.output.splitlines() if "WARNING" in line or "ERROR" in line]
    assert ["cannot be reached" in line for line in lines] == [True, False]
    assert "is there again" in lines[1]


@pytest.mark.long
def test_logs_hold_no_answer_that_was_cut_and_no_exif(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    """At the default level and at debug."""
    picture = draw("cats", 1)
    exif = picture.getexif()
    exif[315], exif[33432], exif[271] = "Mitzis Artist", "Mitzi Copyright", "Mitzicam"
    for level in ("warning", "debug"):
        process.start(CATDOG_LOG_LEVEL=level)
        for body in (b'{"ok": true, "result": [{"text": "Mitzi 424242', b'{"Mitzi": 424242}'):
            bot_api.fail("getUpdates", Failure(200, body=body))
            for status in (200, 502, 404):
                bot_api.fail("sendMessage", Failure(status, body=body))
        for format in ("JPEG", "TIFF", "PNG", "WEBP"):
            stream = io.BytesIO()
            picture.save(stream, format, exif=exif)
            number = bot_api.send_file(
                stream.getvalue(), name=f"a.{format.lower()}", person=424242 + len(bot_api.calls)
            )
        for _ in range(3):
            number = bot_api.send_photo(picture, person=5)
        bot_api.wait(lambda: len(bot_api.called("sendMessage")) >= 7)
        bot_api.failures.clear()
        number = bot_api.send_photo(picture, person=6)
        bot_api.text_for(number)
        assert process.stop() == 0
        bot_api.calls.clear()
    for personal in ("Mitzi", "424242"):
        assert personal not in process.output


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"HTTPS_PROXY": "ftp://127.0.0.1:9"}, 2, "HTTPS_PROXY is no proxy"),
        ({"ALL_PROXY": "http://ann:se/cret#Passw0rd@127.0.0.1:9"}, 2, "ALL_PROXY is no proxy"),
        ({"HTTPS_PROXY": "http://ann:s3cretPassw0rd@127.0.0.1:x"}, 2, "HTTPS_PROXY is no proxy"),
        ({"HTTP_PROXY": "http://ann:s3cretPassw0rd@127.0.0.1:9"}, 1, "cannot be reached"),
        ({"SSL_CERT_FILE": "/no/such.pem"}, 2, "SSL_CERT_FILE names /no/such.pem"),
        ({"SSL_CERT_FILE": "/dev/null"}, 2, "SSL_CERT_FILE names /dev/null"),
        ({"SSL_CERT_DIR": "/no/such"}, 2, "SSL_CERT_DIR names /no/such"),
        ({"ALL_PROXY": "socks5://ann:s3cretPassw0rd@127.0.0.1:9"}, None, ""),
        ({"ALL_PROXY": "socks://127.0.0.1:9"}, None, ""),
    ],
)
@pytest.mark.parametrize("command", ["bot", "doctor"])
def test_proxies_and_certificates_that_cannot_be_used_are_a_sentence(
    process: Process, command: str, environment: dict[str, str], code: int | None, words: str
) -> None:
    """Of SOCKS, how to install what it takes, unless that is there."""
    if command == "doctor":
        process._command = [sys.executable, "-m", "catdog", "doctor", "--bot"]
    process.start(**environment)
    ended = process.wait()
    if code is None:
        has_socks = importlib.util.find_spec("socksio") is not None
        code, words = (1, "cannot be reached") if has_socks else (4, "pip install 'httpx[socks]'")
    assert ended == code
    assert words in process.output
    assert "Traceback" not in process.output
    assert "assw0rd" not in process.output


def test_networks_of_ipv6_in_no_proxy_are_understood(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    process.start(
        HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="fd00::/8, ::1, [fe80::1], 127.0.0.0/8, a.example"
    )
    assert bot_api.text_for(bot_api.send_photo(draw("cats", 1))).startswith("🐱")
    assert process.stop() == 0


def test_a_server_that_is_not_there_is_reported_without_the_token(
    process: Process, token: str
) -> None:
    process.start(CATDOG_BOT_API_URL="http://127.0.0.1:9")
    assert process.wait() == 1
    assert "cannot be reached (NetworkError)" in process.output
    assert "Traceback" not in process.output
    assert token not in process.output


def test_a_start_with_telegram_away_for_a_moment_succeeds(
    process: Process, bot_api: BotApi, draw: Draw
) -> None:
    bot_api.fail("getMe", Failure(502, "Bad Gateway", times=2))
    bot_api.fail("deleteWebhook", Failure(502, "Bad Gateway", times=1))
    bot_api.fail("getUpdates", Failure(404, "Not Found", times=1))
    process.start()
    assert bot_api.text_for(bot_api.send_photo(draw("cats", 1))).startswith("🐱")


def test_a_bug_at_the_start_is_logged_without_the_token(process: Process, token: str) -> None:
    process.start(CATDOG_BOT_API_URL=f"http://[{token}]/")
    assert process.wait() == 1
    assert token not in process.output
    process.start(CATDOG_BOT_API_URL=f"{token}")
    assert process.wait() == 2
    process.start(CATDOG_BOT_WEBHOOK_URL=f"http://bot.example/{token}")
    assert process.wait() == 2
    assert token not in process.output


def test_a_stop_before_telegram_answers_is_heard(process: Process, bot_api: BotApi) -> None:
    bot_api.fail("getMe", Failure(0, done=True, hold=30.0))
    process.start()
    bot_api.wait(lambda: bot_api.called("getMe"))
    assert process.stop() == 0


def test_a_webhooks_port_that_is_taken_is_reported(process: Process, free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        process.start("--webhook-url", "https://bot.example/hook", "--webhook-port", str(free_port))
        assert process.wait() == 2
    assert "CATDOG_BOT_WEBHOOK_PORT" in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CATDOG_BOT_TOKEN": ""}, "@BotFather"),
        ({"CATDOG_BOT_TOKEN": "", "CATDOG_BOT_TOKEN_FILE": "/no/such"}, "cannot be read (No such"),
        ({"CATDOG_BOT_TOKEN": "", "CATDOG_BOT_TOKEN_FILE": "/dev/null"}, "is empty"),
        ({"CATDOG_BOT_WEBHOOK_URL": "http://bot.example"}, "only to https"),
        (
            {
                "CATDOG_BOT_WEBHOOK_URL": "https://bot.example",
                "CATDOG_BOT_WEBHOOK_SECRET": "with blanks",
            },
            "1 to 256 letters",
        ),
        ({"CATDOG_BOT_QUEUE": "none"}, "'none' is not a valid integer"),
        ({"CATDOG_BOT_ALLOW_USER": "1,2"}, "CATDOG_BOT_ALLOW_USER takes numbers separated by"),
        ({"CATDOG_BOT_ALLOW_CHAT": "-1;-2"}, "CATDOG_BOT_ALLOW_CHAT takes numbers separated by"),
        ({"CATDOG_BOT_API_URL": "https://bot.example/bot"}, "CATDOG_BOT_API_URL (--api-url) is"),
        ({"CATDOG_BOT_API_URL": "http://bot.example/bot123:ab/"}, "without /bot"),
        ({"CATDOG_BOT_API_URL": "bot.example"}, "CATDOG_BOT_API_URL (--api-url) is an address"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    process: Process, environment: dict[str, str], words: str
) -> None:
    process.start(**environment)
    assert process.wait() == 2
    assert words in process.output
    assert "Traceback" not in process.output
