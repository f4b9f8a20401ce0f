"""How fast Telegram is called: at its pace for the bot, for each chat, and as its 429 says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from aiolimiter import AsyncLimiter
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter

from bot.service.halts import Halts, seconds_of
from bot.telegram.delivery import attempted, kind_of, was_not_sent
from bot.telegram.outage import FETCHING, SENDING, Outage

_IN_A_GROUP = (20, 60.0)  # messages, and as many edits, in so many seconds
_EDITS_IN_PRIVATE = (20, 20.0)
_AT_ONCE = 40  # messages on their way; the other connections are for what must not wait
_KNOWN = 512  # chats, and those that are at rest are forgotten
_OUTSIDE = ("setMyCommands",)  # whoever calls it waits, and nobody else


class ChatRateLimiter(BaseRateLimiter[int]):
    """Paces what is sent to chats; who is called for anything else waits for none of them.

    The library's own has everybody wait when Telegram has one chat wait, gives up after some
    tries, and counts whatever names a chat as a message to it.
    """

    def __init__(self, per_second: int, halts: Halts, outage: Outage) -> None:
        """`per_second` 0 lifts the limits."""
        self._overall = AsyncLimiter(per_second, 1) if per_second else None
        self._halts = halts
        self._outage = outage
        self._paces: dict[Hashable, AsyncLimiter] = {}
        self._sending = asyncio.Semaphore(_AT_ONCE)

    async def initialize(self) -> None:
        """Nothing has to be made ready."""

    async def shutdown(self) -> None:
        """Nothing has to be closed."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Make a call when it may be made, and again when Telegram had it wait."""

        async def call() -> Any:
            return await callback(*args, **kwargs)

        if endpoint in _OUTSIDE:
            return await call()
        way = FETCHING if endpoint == "getFile" else SENDING
        chat = data.get("chat_id")
        if chat is not None and endpoint.startswith(("send", "edit", "delete")):
            return await self._send(call, chat, is_message=endpoint.startswith("send"))
        key = (endpoint, chat)
        while True:
            await self._halts.wait_for_call(key)
            try:
                return await self._watched(call, way)
            except RetryAfter as error:
                self._halts.add_call(key, endpoint, seconds_of(error))

    async def turn_to_edit(self, chat: int) -> None:
        """Wait until a chat's turn comes for a change of a message: whoever makes many need not
        queue them here, if one shows them all."""
        await self._halts.wait_for_chat(chat)
        if self._overall is not None:
            most, seconds = _IN_A_GROUP if _is_group(chat) else _EDITS_IN_PRIVATE
            await self._pace((chat, "edits"), most, seconds).acquire()

    async def _send(
        self, call: Callable[[], Coroutine[Any, Any, Any]], chat: Any, *, is_message: bool
    ) -> Any:
        while True:
            await self._halts.wait_for_chat(chat)
            await self._turn(chat, is_message=is_message)
            async with self._sending:
                if self._halts.of_chat(chat) > 0:  # since it waited for its turn
                    continue
                try:
                    return await attempted(lambda: self._watched(call, SENDING))
                except RetryAfter as error:
                    self._halts.add_chat(chat, seconds_of(error))

    async def _watched(self, call: Callable[[], Coroutine[Any, Any, Any]], way: str) -> Any:
        """Make a call, and tell whether Telegram is there."""
        try:
            made = await call()
        except (NetworkError, InvalidToken) as error:
            if not isinstance(error, BadRequest):
                self._outage.failed(way, kind_of(error), is_known=was_not_sent(error))
            raise
        self._outage.worked(way)
        return made

    async def _turn(self, chat: Any, *, is_message: bool) -> None:
        """Wait for a turn; private chats are paced by who answers photos."""
        if self._overall is None:
            return
        if is_message and _is_group(chat):
            await self._pace((chat, "messages"), *_IN_A_GROUP).acquire()
        await self._overall.acquire()

    def _pace(self, key: Hashable, most: float, seconds: float) -> AsyncLimiter:
        if len(self._paces) > _KNOWN:
            self._paces = {
                key: pace
                for key, pace in self._paces.items()
                if not pace.has_capacity(pace.max_rate)
            }
        return self._paces.setdefault(key, AsyncLimiter(most, seconds))


def _is_group(chat: Any) -> bool:
    return isinstance(chat, str) or chat < 0
