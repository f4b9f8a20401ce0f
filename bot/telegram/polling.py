"""Asks Telegram for updates, for ever: no error, no answer and no update ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.service.halts import seconds_of
from bot.service.metrics import Metrics
from bot.telegram.outage import ASKING, Outage
from bot.telegram.updates import Updates, number_of

log = logging.getLogger(__name__)

_HOLD = 10  # seconds that Telegram may hold a request
_READ = 15.0  # seconds to wait for its answer beyond that
_HANDLED = 45.0  # seconds, at most; a handler only writes to the store
_WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds between tries, while Telegram is away
_LEAST = 0.3  # seconds between polls that bring nothing
_REMEMBERED = 1000  # numbers of updates that were handled


class OddAnswer(TelegramError):
    """Telegram, or what stands in its place, answers with something that holds no updates."""


class Polling:
    """Has updates handled, each read alone.

    The library's own polling ends at the first 401 or 404, and asks for ever without a pause for
    a batch that holds an update that it cannot parse.
    """

    def __init__(
        self,
        bot: Bot,
        updates: Updates,
        kinds: Sequence[str],
        metrics: Metrics,
        outage: Outage,
        *,
        alive: Callable[[], None],
    ) -> None:
        """`alive` is called again and again for as long as updates are asked for and handled."""
        self._bot = bot
        self._updates = updates
        self._kinds = list(kinds)
        self._metrics = metrics
        self._outage = outage
        self._alive = alive
        self._offset = 0
        self._handled_before: deque[int] = deque(maxlen=_REMEMBERED)
        self._trouble: str | None = None

    async def run(self) -> None:
        """Ask until cancelled."""
        tries = 0
        has_webhook = True  # perhaps: Telegram hands nothing out then
        while True:
            try:
                if has_webhook:
                    await self._bot.delete_webhook()
                    has_webhook = False
                await self._ask()
                tries = 0
            except Exception as error:
                self._tell(error)
                has_webhook = has_webhook or isinstance(error, Conflict)
                await asyncio.sleep(self._wait(error, tries))
                self._alive()
                tries += 1

    async def confirm(self) -> None:
        """Tell Telegram what was taken, so that it is not handed out again after a restart."""
        if await self._updates.handled(within=_HANDLED):
            with contextlib.suppress(Exception):
                await self._get(0)

    async def _ask(self) -> None:
        """Ask once, and wait until what came is handled, and so in the store: asking again
        confirms it to Telegram, which then forgets it. Raises OddAnswer."""
        began = asyncio.get_running_loop().time()
        found = await self._get(_HOLD)
        self._alive()
        if not isinstance(found, list):
            raise OddAnswer(f"a {type(found).__name__} in the place of updates")
        fresh = {
            number: raw
            for raw in found
            if (number := number_of(raw)) is not None and number not in self._handled_before
        }
        tasks = [self._updates.handle(raw) for raw in fresh.values()]
        if fresh:
            self._offset = max(fresh) + 1
            self._handled_before.extend(fresh)
        if found and not fresh:
            raise OddAnswer("what is no update, or was handled before")
        if odd := sum(number_of(raw) is None for raw in found):
            log.error("among the updates are some that are none: %d", odd)
        self._well()
        if await self._updates.handled([one for one in tasks if one is not None], within=_HANDLED):
            self._alive()
        else:
            log.error("updates take too long to be handled")
        if not fresh:
            await asyncio.sleep(_LEAST - (asyncio.get_running_loop().time() - began))

    async def _get(self, hold: int) -> Any:
        return await self._bot.do_api_request(
            "getUpdates",
            {"offset": self._offset, "timeout": hold, "allowed_updates": self._kinds},
            read_timeout=hold + _READ,
        )

    def _well(self) -> None:
        self._metrics.contact()
        self._outage.worked(ASKING)
        if self._trouble is not None:
            log.warning("Telegram hands out messages again")
            self._trouble = None

    def _wait(self, error: Exception, tries: int) -> float:
        wait = _WAITS[min(tries, len(_WAITS) - 1)]
        return max(wait, seconds_of(error)) if isinstance(error, RetryAfter) else wait

    def _tell(self, error: Exception) -> None:
        """Log a line when trouble begins or is another, not each time."""
        if isinstance(error, Conflict):
            text = (
                "another program asks Telegram for this bot's messages: stop it (a token serves "
                "one bot at a time)"
            )
        elif isinstance(error, (InvalidToken, EndPointNotFound)):
            text = "Telegram does not know this token (any more); trying again all the same"
        elif isinstance(error, OddAnswer):
            text = f"Telegram answers with {error.message}; asking again"
        else:
            self._outage.failed(ASKING, type(error).__name__)
            return
        if text != self._trouble:
            self._trouble = text
            log.warning("%s", text)
