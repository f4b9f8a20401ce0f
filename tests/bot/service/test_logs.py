"""Logs redact secrets in every form, and can be read by people and by machines."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from telegram.error import NetworkError

from bot.secret import Secret, take_secret
from bot.service.logs import set_up_logs
from bot.telegram.connection import secrets_in
from core.errors import UsageRefused

TOKEN = "123456:a-token"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where a handler of the root logger writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    others, level = root.handlers, root.level
    root.handlers, root.level = [handler], logging.DEBUG
    yield stream
    root.handlers, root.level = others, level


def test_secrets_are_taken_out_of_lines_arguments_and_tracebacks(written: io.StringIO) -> None:
    set_up_logs([Secret(TOKEN), Secret("hook-secret")])
    log = logging.getLogger("catdog.test")
    log.warning("http://host/bot%s/getMe and %s", TOKEN, quote(TOKEN, safe=""))
    try:
        raise RuntimeError(f"a bug with {TOKEN} and hook-secret")
    except RuntimeError:
        log.exception("it failed")
    text = written.getvalue()
    assert "RuntimeError: a bug with <token> and <token>" in text
    for secret in (TOKEN, quote(TOKEN, safe=""), "hook-secret"):
        assert secret not in text


def test_an_outage_is_a_line_and_a_bug_a_traceback(written: io.StringIO) -> None:
    set_up_logs([])
    log = logging.getLogger("catdog.test")
    log.error("polling failed", exc_info=NetworkError("httpx.ConnectError"))
    assert written.getvalue() == "ERROR polling failed (NetworkError)\n"
    log.error("an update failed", exc_info=ValueError("a bug"))
    assert "ValueError: a bug" in written.getvalue()


def test_lines_carry_their_fields(written: io.StringIO) -> None:
    set_up_logs([])
    logging.getLogger("catdog.test").info("answered", extra={"outcome": "cat", "chat": 4242})
    assert written.getvalue() == "INFO answered outcome=cat\n"  # and nothing about a person


def test_json_lines_are_objects(written: io.StringIO) -> None:
    set_up_logs([Secret(TOKEN)], as_json=True)
    log = logging.getLogger("catdog.test")
    log.info("answered %s", TOKEN, extra={"outcome": "cat"})
    log.error("failed", exc_info=ValueError(TOKEN))
    first, second = map(json.loads, written.getvalue().splitlines())
    assert first["message"] == "answered <token>"
    assert (first["level"], first["outcome"]) == ("info", "cat")
    assert "ValueError: <token>" in second["traceback"]


def test_who_writes_whole_messages_is_quietened(written: io.StringIO) -> None:
    set_up_logs([])
    logging.getLogger("telegram.Bot").debug("a message of somebody's")
    logging.getLogger("httpx").info("HTTP Request: POST …")
    assert written.getvalue() == ""


def test_of_others_lines_nothing_that_is_filled_in_is_written(written: io.StringIO) -> None:
    set_up_logs([])
    library = logging.getLogger("telegram.request")
    try:
        raise ValueError("Mitzi")
    except ValueError:
        library.exception('Can not load invalid JSON data: "%s"', "Mitzi")
    library.error("%(name)s and %5.2f %r", {"name": "Mitzi"})
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: Mitzi")
    exif = logging.getLogger("PIL.TiffImagePlugin")
    exif.setLevel(logging.DEBUG)
    exif.debug("tag: %s - value: Mitzi", "Artist")
    logging.getLogger("core.images.decode").debug("ours")
    assert written.getvalue().splitlines() == [
        'ERROR Can not load invalid JSON data: "…" (ValueError)',
        "ERROR … and … …",
        "ERROR Task exception was never retrieved",
        "DEBUG ours",
    ]


def test_passwords_in_addresses_are_taken_out(written: io.StringIO) -> None:
    proxy = "http://ann:s3cret/Passw%23rd@proxy:3128"
    set_up_logs(secrets_in({"HTTPS_PROXY": proxy}, "http://bob:An0therOne@host"))
    log = logging.getLogger("catdog.test")
    for text in (
        proxy,
        "Invalid port: 's3cret'",
        "s3cret/Passw#rd",
        "http://eve:x@host/",
        "An0therOne",
    ):
        log.warning("it failed: %s", text)
    for secret in ("s3cret", "Passw", "eve", "An0ther"):
        assert secret not in written.getvalue()


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(TOKEN)
    assert TOKEN not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == TOKEN


def test_secrets_come_from_the_environment_or_a_file(tmp_path: object) -> None:
    environment = {"X": f" {TOKEN}\n", "X_FILE": "/no/such"}
    found = take_secret(environment, "X")
    assert found is not None
    assert found.reveal() == TOKEN
    assert "X" not in environment  # what is started from here does not inherit it
    assert take_secret({}, "X") is None
    with pytest.raises(UsageRefused, match="X_FILE names /no/such, which cannot be read"):
        take_secret(environment, "X")
