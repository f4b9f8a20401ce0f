"""What could go wrong with the bot: each check tells, and leaves all as it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from telegram import Bot, User, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from bot.secret import Secret
from bot.telegram.fetch import Fetcher, NotFetched
from bot.telegram.files import ServesNoFiles
from bot.telegram.request import CheckedRequest
from core.errors import CatdogError
from core.findings import Finding, Severity
from core.model.classifier import Classifier
from core.model.registry import find_model
from core.paths import display

_CLOCK = 30.0  # seconds that the clocks may differ
_PENDING = 100  # updates that wait at Telegram
_TELEGRAMS = "https://api.telegram.org"
_SMALL = 4096  # bytes beyond what was sent
_RECENT = 3600.0  # seconds for which a webhook's last error matters


@dataclass(frozen=True, slots=True)
class _Telegram:
    """What Telegram says."""

    me: User
    webhook: WebhookInfo
    ahead: float | None  # seconds that this clock is ahead of Telegram's
    files: Finding | None  # whether the server hands out files; None for Telegram's own


def examine_bot(
    token: Secret | None,
    *,
    api_url: str,
    webhook_url: str | None,
    models_dir: Path,
    state_dir: Path,
    owner: int | None = None,
    model: str | None = None,
    now: Callable[[], float] = time.time,
) -> list[Finding]:
    """Give what each check found, in a fixed order; without Telegram only what is here.

    `owner` is a person who may be sent a file, which is taken away again, to see whether it can be
    fetched; this is tried where the server is not Telegram's own.
    """
    found = [_model(models_dir, model), _state(state_dir)]
    if token is None:
        return [
            _error(
                "token",
                "CATDOG_BOT_TOKEN is not set. Ask @BotFather in Telegram for a bot and its "
                "token, and write it into .env (see .env.example).",
            ),
            *found,
        ]
    try:
        said = asyncio.run(_ask(token, api_url, owner, now))
    except InvalidToken:
        message = "Telegram does not accept it. Ask @BotFather for it again, with /token."
        return [_error("token", message), *found]
    except Exception as error:  # its text may hold the token; odd answers raise anything
        message = (
            f"the Bot API at {token.hide_in(api_url)} cannot be reached "
            f"({type(error).__name__}). Check the network, the proxy and CATDOG_BOT_API_URL."
        )
        return [_error("Telegram", message), *found]
    return [
        _ok("token", f"it is that of @{said.me.username}"),
        _privacy(said.me),
        _webhook(said.webhook, webhook_url, now()),
        _clock(said.ahead),
        *([] if said.files is None else [said.files]),
        *found,
    ]


async def _ask(
    token: Secret, api_url: str, owner: int | None, now: Callable[[], float]
) -> _Telegram:
    ahead: float | None = None

    async def look(response: httpx.Response) -> None:
        nonlocal ahead
        with contextlib.suppress(ValueError):  # a server that does not know the time
            date = parsedate_to_datetime(response.headers.get("Date", ""))
            ahead = now() - date.timestamp()

    root = api_url.rstrip("/")
    request = CheckedRequest(httpx_kwargs={"event_hooks": {"response": [look]}})
    async with Bot(token.reveal(), f"{root}/bot", f"{root}/file/bot", request=request) as bot:
        me, webhook, ahead_then = await bot.get_me(), await bot.get_webhook_info(), ahead
        files = None if root == _TELEGRAMS else await _files(bot, owner)
        return _Telegram(me, webhook, ahead_then, files)


async def _files(bot: Bot, owner: int | None) -> Finding:
    """Send a file to its owner, fetch it, and take it away again, where that may be done."""
    check, content = "files", b"catdog doctor: whether the server hands out files"
    if owner is None:
        return _ok(
            check,
            "not tried: name yourself in CATDOG_BOT_ALLOW_USER, and a file is sent to you and "
            "fetched. " + ServesNoFiles.REMEDY.partition(" `catdog")[0],
        )
    try:
        sent = await bot.send_document(
            owner, content, filename="catdog-doctor.txt", disable_notification=True
        )
    except TelegramError as error:
        return _warning(
            check,
            f"no file could be sent to the first of CATDOG_BOT_ALLOW_USER ({type(error).__name__})."
            " Write to the bot once, so that it may.",
        )
    try:
        assert sent.document is not None
        fetcher = Fetcher(bot, len(content) + _SMALL, pauses=(0.5, 1.0))
        async with fetcher.fetched(sent.document.file_id, None) as fetched:
            is_same = fetched == content
    except NotFetched as error:
        return _error(
            check, f"the server hands out no files ({error.code}). {ServesNoFiles.REMEDY}"
        )
    finally:
        with contextlib.suppress(TelegramError):
            await bot.delete_message(owner, sent.message_id)
    if not is_same:
        return _error(check, f"the server hands out other files. {ServesNoFiles.REMEDY}")
    return _ok(check, "one that was sent could be fetched")


def _privacy(me: User) -> Finding:
    check = "groups"
    if me.can_join_groups is False:
        return _ok(check, "it cannot be added to groups (@BotFather, /setjoingroups)")
    if me.can_read_all_group_messages:
        return _ok(check, "privacy mode is off: in groups it sees all photos, for /auto on")
    return _warning(
        check,
        "privacy mode is on: in groups it sees only what is said to it, and /auto on works only "
        "where it is an admin. To let it see all photos, send /setprivacy to @BotFather, choose "
        "Disable, and add it to the group again.",
    )


def _webhook(info: WebhookInfo, wanted: str | None, now: float) -> Finding:
    check = "webhook"
    if wanted is None and info.url:
        return _warning(
            check,
            "one is set for this token, and `catdog bot` takes it away when it starts: another "
            "program that gets messages by it then gets none. Set CATDOG_BOT_WEBHOOK_URL to keep "
            "one, or use another token.",
        )
    if wanted is not None and not info.url:
        return _ok(check, "none is set yet; `catdog bot` sets it when it starts")
    if wanted is not None and info.url != wanted:
        return _warning(check, "another address is set; `catdog bot` replaces it when it starts.")
    failed = info.last_error_date
    if info.url and failed is not None and now - failed.timestamp() < _RECENT:
        return _warning(
            check,
            f"Telegram could not deliver lately: {info.last_error_message}. Check the proxy, its "
            "certificate, and that the bot runs.",
        )
    if info.pending_update_count > _PENDING:
        return _warning(
            check, f"{info.pending_update_count} messages wait at Telegram. Start the bot."
        )
    kind = "messages are asked for" if wanted is None else "messages are sent to it"
    return _ok(check, f"{kind}; {info.pending_update_count} wait at Telegram")


def _clock(ahead: float | None) -> Finding:
    check = "clock"
    if ahead is None:
        return _ok(check, "the server does not tell the time")
    if abs(ahead) > _CLOCK:
        way = "ahead of" if ahead > 0 else "behind"
        return _warning(
            check,
            f"it is {abs(ahead):.0f} seconds {way} Telegram's: photos may be taken for too old to "
            "be answered after a restart. Set it, with NTP if you can.",
        )
    return _ok(check, "it agrees with Telegram's")


def _model(models_dir: Path, choice: str | None) -> Finding:
    try:
        manifest = Classifier(find_model(models_dir, choice)).manifest
    except CatdogError as error:
        return _error("model", str(error))
    has_maps = manifest.outputs is None or manifest.outputs.activation is not None
    maps = "" if has_maps else ", which has no heat maps for /why"
    return _ok("model", f"{manifest.version}{maps}")


def _state(state_dir: Path) -> Finding:
    check, there = "state", state_dir
    while not os.path.isdir(there) and there.parent != there:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        return _error(
            check,
            f"you may not write in {display(there)}, where photos are noted before they are "
            "answered. Change its permissions, or set CATDOG_STATE_DIR.",
        )
    return _ok(check, f"{display(state_dir)} can be written")


def _ok(check: str, message: str) -> Finding:
    return Finding(check, Severity.OK, message)


def _warning(check: str, message: str) -> Finding:
    return Finding(check, Severity.WARNING, message)


def _error(check: str, message: str) -> Finding:
    return Finding(check, Severity.ERROR, message)
