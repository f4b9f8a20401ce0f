"""Asks Telegram for updates, for ever: no error, no answer and no update ends it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, TelegramError

from bot.service.metrics import Metrics
from bot.telegram.outage import ASKING, Outage
from bot.telegram.retry import retry
from bot.telegram.updates import Updates, number_of

log = logging.getLogger(__name__)

_HOLD_SECONDS = 10  # that Telegram may hold a request
_READ_SECONDS = 15.0  # to wait for its answer beyond that
_HANDLED_SECONDS = 45.0  # at most; a handler only writes to the store
_PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0)  # between tries while Telegram is away, and then:
_LAST_PAUSE_SECONDS = 30.0
_LEAST_SECONDS = 0.3  # between polls that bring nothing
_REMEMBERED_UPDATES = 1000  # numbers of those that were handled


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
        metrics: Metrics,
        outage: Outage,
        *,
        kinds: Sequence[str],
        alive: Callable[[], None],
    ) -> None:
        """`kinds` are those of updates to ask for; `alive` is called while they are handled."""
        self._bot = bot
        self._updates = updates
        self._metrics = metrics
        self._outage = outage
        self._kinds = list(kinds)
        self._alive = alive
        self._may_have_webhook = True  # Telegram hands nothing out then
        self._offset = 0
        self._handled_before: deque[int] = deque(maxlen=_REMEMBERED_UPDATES)
        self._trouble: str | None = None

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            pauses = itertools.chain(_PAUSES_SECONDS, itertools.repeat(_LAST_PAUSE_SECONDS))
            await retry(self._ask, pauses, self._note)

    async def confirm(self) -> None:
        """Confirm what was taken, so that it is not handed out again after a restart."""
        if await self._updates.handled(within=_HANDLED_SECONDS):
            with contextlib.suppress(Exception):
                await self._get_updates(hold=0)

    async def _ask(self) -> None:
        """Ask once, and wait until what came is handled, and so in the store.

        Asking again confirms it to Telegram, which then forgets it. Raises OddAnswer.
        """
        if self._may_have_webhook:
            await self._bot.delete_webhook()
            self._may_have_webhook = False
        began = asyncio.get_running_loop().time()
        found = await self._get_updates(hold=_HOLD_SECONDS)
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
        elif found:
            raise OddAnswer("what is no update, or was handled before")
        if odd := sum(number_of(raw) is None for raw in found):
            log.error("among the updates are some that are none: %d", odd)
        self._metrics.contact()
        self._outage.worked(ASKING)
        if self._trouble is not None:
            log.warning("Telegram hands out messages again")
            self._trouble = None
        handled = await self._updates.handled(
            [one for one in tasks if one is not None], within=_HANDLED_SECONDS
        )
        if handled:
            self._alive()
        else:
            log.error("updates take too long to be handled")
        if not fresh:
            await asyncio.sleep(_LEAST_SECONDS - (asyncio.get_running_loop().time() - began))

    async def _get_updates(self, *, hold: int) -> Any:
        return await self._bot.do_api_request(
            "getUpdates",
            {"offset": self._offset, "timeout": hold, "allowed_updates": self._kinds},
            read_timeout=hold + _READ_SECONDS,
        )

    def _note(self, error: Exception) -> bool:
        """Log a line when trouble begins or is another, not each time; all trouble is passing."""
        self._alive()
        text = None
        if isinstance(error, Conflict):
            self._may_have_webhook = True
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
        if text is not None and text != self._trouble:
            self._trouble = text
            log.warning("%s", text)
        return True
