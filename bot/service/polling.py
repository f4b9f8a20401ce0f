"""Asks Telegram for updates, for ever: no error, and no update, ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import warnings
from collections.abc import Sequence
from typing import Any

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.service.metrics import Metrics

log = logging.getLogger(__name__)

_HOLD = 10  # seconds that Telegram may hold a request
_READ = 15.0  # seconds to wait for its answer beyond that
_HANDLED = 60.0  # seconds, at most; a handler only writes to the store
_WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between tries, while Telegram is away


class Polling:
    """Hands updates to a queue, each parsed alone.

    The library's own polling ends at the first 401 or 404, and asks for ever without a pause for
    a batch that holds an update that it cannot parse.
    """

    def __init__(
        self, bot: Bot, queue: asyncio.Queue[object], kinds: Sequence[str], metrics: Metrics
    ) -> None:
        self._bot = bot
        self._queue = queue
        self._kinds = list(kinds)
        self._metrics = metrics
        self._offset = 0
        self._trouble: type[TelegramError] | None = None
        # it advises its own getUpdates, which parses a batch whole or not at all
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")

    async def run(self) -> None:
        """Ask until cancelled."""
        tries = 0
        has_webhook = True  # perhaps: Telegram hands nothing out then
        while True:
            try:
                if has_webhook:
                    await self._bot.delete_webhook()
                    has_webhook = False
                await self._ask(_HOLD)
                await self._handled()
                tries = 0
            except TelegramError as error:
                self._tell(error)
                has_webhook = has_webhook or isinstance(error, Conflict)
                await asyncio.sleep(_WAITS[min(tries, len(_WAITS) - 1)])
                tries += 1

    async def confirm(self) -> None:
        """Tell Telegram what was taken, so that it is not handed out again after a restart."""
        await self._handled()
        with contextlib.suppress(TelegramError):
            await self._get(0)

    async def _handled(self) -> None:
        """Wait until what was taken is handled, and so in the store: asking again confirms it to
        Telegram, which then forgets it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._queue.join(), _HANDLED)

    async def _ask(self, hold: int) -> None:
        for raw in await self._get(hold):
            self._offset = max(self._offset, int(raw["update_id"]) + 1)
            try:
                update = Update.de_json(raw, self._bot)
            except Exception as error:  # the library does not know it; its text is somebody's
                log.error("an update could not be read (%s)", type(error).__name__)
                self._metrics.bugs.inc()
                continue
            await self._queue.put(update)
        self._metrics.contact()
        if self._trouble is not None:
            log.warning("Telegram is there again")
            self._trouble = None

    async def _get(self, hold: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._bot.do_api_request(
            "getUpdates",
            {"offset": self._offset, "timeout": hold, "allowed_updates": self._kinds},
            read_timeout=hold + _READ,
        )
        return found

    def _tell(self, error: TelegramError) -> None:
        """Log a line when trouble begins or is another, not each time."""
        kind = type(error)
        if kind is self._trouble:
            return
        self._trouble = kind
        if isinstance(error, Conflict):
            log.warning(
                "another program asks Telegram for this bot's messages: stop it (a token serves "
                "one bot at a time)"
            )
        elif isinstance(error, InvalidToken):
            log.error("Telegram does not know this token (any more); trying again all the same")
        else:
            log.warning("Telegram cannot be reached (%s); trying again", kind.__name__)
