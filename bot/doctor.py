"""What could go wrong with the bot: each check says what to change, and leaves all as it is."""

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
from bot.telegram.fetch import REMEDY, Fetcher, NotFetched
from bot.telegram.request import CheckedRequest
from core.errors import CatdogError
from core.findings import Finding, Severity
from core.model.classifier import Classifier
from core.model.registry import find_model
from core.paths import display

_CLOCK_SECONDS = 30.0  # that the clocks may differ
_MOST_PENDING = 100  # updates that wait at Telegram
_RECENT_SECONDS = 3600.0  # for which a webhook's last error matters
_TELEGRAMS = "https://api.telegram.org"

_OK, _WARNING, _ERROR = Severity.OK, Severity.WARNING, Severity.ERROR


@dataclass(frozen=True, slots=True)
class BotExamination:
    """What is examined, and against what."""

    token: Secret | None
    api_url: str
    webhook_url: str | None
    models_dir: Path
    state_dir: Path
    model: str | None
    owner: int | None  # a person who may be sent a file, to see whether it can be fetched
    now: Callable[[], float] = time.time  # seconds since 1970

    def findings(self) -> list[Finding]:
        """Return what each check found, in a fixed order; without Telegram only what is here."""
        here = [_model(self.models_dir, self.model), _state(self.state_dir)]
        if self.token is None:
            text = (
                "CATDOG_BOT_TOKEN is not set. Ask @BotFather in Telegram for a bot and its "
                "token, and write it into .env (see .env.example)."
            )
            return [Finding("token", _ERROR, text), *here]
        try:
            return [*asyncio.run(self._ask(self.token)), *here]
        except InvalidToken:
            text = "Telegram does not accept it. Ask @BotFather for it again, with /token."
            return [Finding("token", _ERROR, text), *here]
        except Exception as error:  # its text may hold the token; odd answers raise anything
            text = (
                f"the Bot API at {self.token.hide_in(self.api_url)} cannot be reached "
                f"({type(error).__name__}). Check the network, the proxy and CATDOG_BOT_API_URL."
            )
            return [Finding("Telegram", _ERROR, text), *here]

    async def _ask(self, token: Secret) -> list[Finding]:
        seconds_ahead: list[float] = []  # of Telegram's clock, at each answer

        async def compare_clocks(response: httpx.Response) -> None:
            with contextlib.suppress(ValueError):  # a server that does not know the time
                date = parsedate_to_datetime(response.headers.get("Date", ""))
                seconds_ahead.append(self.now() - date.timestamp())

        root = self.api_url.rstrip("/")
        request = CheckedRequest(httpx_kwargs={"event_hooks": {"response": [compare_clocks]}})
        async with Bot(token.reveal(), f"{root}/bot", f"{root}/file/bot", request=request) as bot:
            me = await bot.get_me()
            webhook = await bot.get_webhook_info()
            found = [
                Finding("token", _OK, f"it is that of @{me.username}"),
                _groups(me),
                _webhook(webhook, self.webhook_url, self.now()),
                _clock(seconds_ahead),
            ]
            if root != _TELEGRAMS:
                found.append(await _files(bot, self.owner))
            return found


async def _files(bot: Bot, owner: int | None) -> Finding:
    """Send a file to its owner, fetch it, and take it away again, where that may be done."""
    check, content = "files", b"catdog doctor: whether the server hands out files"
    if owner is None:
        return Finding(
            check,
            _OK,
            "not tried: name yourself in CATDOG_BOT_ALLOW_USER, and a file is sent to you and "
            "fetched. " + REMEDY.partition(" `catdog")[0],
        )
    try:
        sent = await bot.send_document(
            owner, content, filename="catdog-doctor.txt", disable_notification=True
        )
    except TelegramError as error:
        return Finding(
            check,
            _WARNING,
            f"no file could be sent to the first of CATDOG_BOT_ALLOW_USER ({type(error).__name__})."
            " Write to the bot once, so that it may.",
        )
    try:
        assert sent.document is not None
        fetcher = Fetcher(bot, 2 * len(content), pauses=(0.5, 1.0))
        async with fetcher.fetched(sent.document.file_id, None) as fetched:
            is_same = fetched == content
    except NotFetched as error:
        text = f"the server hands out no files ({error.code}). {REMEDY}"
        return Finding(check, _ERROR, text)
    finally:
        with contextlib.suppress(TelegramError):
            await bot.delete_message(owner, sent.message_id)
    if not is_same:
        return Finding(check, _ERROR, f"the server hands out other files. {REMEDY}")
    return Finding(check, _OK, "one that was sent could be fetched")


def _groups(me: User) -> Finding:
    if me.can_join_groups is False:
        return Finding("groups", _OK, "it cannot be added to groups (@BotFather, /setjoingroups)")
    if me.can_read_all_group_messages:
        text = "privacy mode is off: in groups it sees all photos, for /auto on"
        return Finding("groups", _OK, text)
    return Finding(
        "groups",
        _WARNING,
        "privacy mode is on: in groups it sees only what is said to it, and /auto on works only "
        "where it is an admin. To let it see all photos, send /setprivacy to @BotFather, choose "
        "Disable, and add it to the group again.",
    )


def _webhook(info: WebhookInfo, wanted: str | None, now: float) -> Finding:
    failed = info.last_error_date
    if wanted is None and info.url:
        text = (
            "one is set for this token, and `catdog bot` takes it away when it starts: another "
            "program that gets messages by it then gets none. Set CATDOG_BOT_WEBHOOK_URL to keep "
            "one, or use another token."
        )
    elif wanted is not None and not info.url:
        return Finding("webhook", _OK, "none is set yet; `catdog bot` sets it when it starts")
    elif wanted is not None and info.url != wanted:
        text = "another address is set; `catdog bot` replaces it when it starts."
    elif info.url and failed is not None and now - failed.timestamp() < _RECENT_SECONDS:
        text = (
            f"Telegram could not deliver lately: {info.last_error_message}. Check the proxy, its "
            "certificate, and that the bot runs."
        )
    elif info.pending_update_count > _MOST_PENDING:
        text = f"{info.pending_update_count} messages wait at Telegram. Start the bot."
    else:
        how = "messages are asked for" if wanted is None else "messages are sent to it"
        return Finding("webhook", _OK, how)
    return Finding("webhook", _WARNING, text)


def _clock(seconds_ahead: list[float]) -> Finding:
    if not seconds_ahead:
        return Finding("clock", _OK, "the server does not tell the time")
    ahead = seconds_ahead[-1]
    if abs(ahead) <= _CLOCK_SECONDS:
        return Finding("clock", _OK, "it agrees with Telegram's")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "clock",
        _WARNING,
        f"it is {abs(ahead):.0f} seconds {way} Telegram's: photos may be taken for too old to "
        "be answered after a restart. Set it, with NTP if you can.",
    )


def _model(models_dir: Path, choice: str | None) -> Finding:
    try:
        manifest = Classifier(find_model(models_dir, choice)).manifest
    except CatdogError as error:
        return Finding("model", _ERROR, str(error))
    has_maps = manifest.outputs is None or manifest.outputs.activation is not None
    maps = "" if has_maps else ", which has no heat maps for /why"
    return Finding("model", _OK, f"{manifest.version}{maps}")


def _state(state_dir: Path) -> Finding:
    there = state_dir
    while not os.path.isdir(there) and there.parent != there:
        there = there.parent
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("state", _OK, f"{display(state_dir)} can be written")
    return Finding(
        "state",
        _ERROR,
        f"you may not write in {display(there)}, where photos are noted before they are "
        "answered. Change its permissions, or set CATDOG_STATE_DIR.",
    )
