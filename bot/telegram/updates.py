"""Updates, from Telegram's JSON to whoever handles them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from telegram import Update
from telegram.ext import Application

from bot.service.metrics import Metrics

log = logging.getLogger(__name__)

_NUMBERS_END = 2**53


def number_of(raw: object) -> int | None:
    """Return an update's number; None if this is no update."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 <= number < _NUMBERS_END else None


class Updates:
    """Has updates handled side by side, begun in the order in which they came."""

    def __init__(self, application: Application[Any, Any, Any, Any, Any, Any], metrics: Metrics):
        self._application = application
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, raw: object) -> asyncio.Task[None] | None:
        """Begin to handle an update; returns None if nobody can read it, which is logged."""
        try:
            if number_of(raw) is None:
                raise ValueError("it has no number")
            update = Update.de_json(raw, self._application.bot)  # type: ignore[arg-type]
        except Exception as error:  # the library does not know it; its text is somebody's
            log.error("an update could not be read, and is dropped (%s)", type(error).__name__)
            self._metrics.bugs.inc()
            return None
        task = asyncio.create_task(self._handle(update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def handled(
        self, tasks: Iterable[asyncio.Task[None]] | None = None, *, within: float
    ) -> bool:
        """Wait until updates, or all, are handled: what they ask for is in the store then."""
        waited_for = set(self._tasks if tasks is None else tasks)
        late = (await asyncio.wait(waited_for, timeout=within))[1] if waited_for else ()
        return not late

    async def _handle(self, update: Update) -> None:
        try:
            await self._application.process_update(update)
        except Exception:
            log.exception("an update failed")
            self._metrics.bugs.inc()
