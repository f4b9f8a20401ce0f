"""Telegram says to wait: which chat, or everybody, and until when."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable

from telegram.error import RetryAfter

log = logging.getLogger(__name__)

_MORE_SECONDS = 0.1  # beyond what Telegram says
LONG_SECONDS = 5.0  # from which on a wait is a warning


class RetryAfterWaits:
    """Keeps to what Telegram's 429 says: the chat waits, and all do once a second chat has to.

    All figures are seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[Hashable, float] = {}  # of chats
        self._until_of_calls: dict[Hashable, float] = {}  # of calls that send nothing to a chat
        self._all_until = 0.0

    def add_chat(self, chat: Hashable, seconds: float) -> None:
        """Have a chat wait, and all of them if another one does already."""
        others = [until for one, until in self._waiting().items() if one != chat]
        until = self._clock() + seconds + _MORE_SECONDS
        self._until[chat] = max(until, self._until.get(chat, 0.0))
        if others:
            self._all_until = max(self._all_until, until, *others)
            log.warning(
                "Telegram has a second chat wait: nothing is sent for %.0f seconds", self.of_all
            )
        elif seconds > LONG_SECONDS:
            log.warning("Telegram has a chat wait for %.0f seconds", seconds)

    def add_call(self, call: Hashable, name: str, seconds: float) -> None:
        """Have a call wait that sends nothing to a chat."""
        self._until_of_calls[call] = self._clock() + seconds + _MORE_SECONDS
        if seconds > LONG_SECONDS:
            log.warning("Telegram has %s wait for %.0f seconds", name, seconds)

    @property
    def chats(self) -> int:
        return len(self._waiting())

    @property
    def of_all(self) -> float:
        """How long nothing is sent to anybody."""
        return max(0.0, self._all_until - self._clock())

    @property
    def longest(self) -> float:
        """How long somebody waits."""
        waits = [*self._until.values(), *self._until_of_calls.values(), self._all_until]
        return max(0.0, max(waits) - self._clock())

    def of_chat(self, chat: Hashable) -> float:
        return max(self.of_all, self._until.get(chat, 0.0) - self._clock())

    async def wait_for_chat(self, chat: Hashable) -> None:
        """Wait until something may be sent to a chat."""
        while (left := self.of_chat(chat)) > 0:
            await asyncio.sleep(left)

    async def wait_for_call(self, call: Hashable) -> None:
        """Wait until a call may be made that sends nothing to a chat."""
        while (left := self._until_of_calls.get(call, 0.0) - self._clock()) > 0:
            await asyncio.sleep(left)

    def _waiting(self) -> dict[Hashable, float]:
        now = self._clock()
        self._until = {chat: until for chat, until in self._until.items() if until > now}
        return self._until


def seconds_of(error: RetryAfter) -> float:
    """Return how long Telegram says to wait."""
    return error._retry_after.total_seconds()  # the public name is about to change its type
