"""How fast Telegram is called: at its pace for the bot, for each chat, and as its 429 says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter
from telegram.ext import BaseRateLimiter

from bot.service.retry_after import RetryAfterWaits, seconds_of
from bot.telegram.delivery import Delivery, kind_of, was_not_sent
from bot.telegram.outage import FETCHING, SENDING, Outage
from bot.telegram.token_bucket import TokenBucket

_BURST = 20  # messages in a group, or edits in any chat
_PER_SECOND_IN_GROUPS = 20 / 60
_EDITS_PER_SECOND_IN_PRIVATE = 1.0
_SENDING_AT_ONCE = 40  # the other connections are for what must not wait
_OUTSIDE = ("setMyCommands",)  # whoever calls it waits, and nobody else

Call = Callable[[], Coroutine[Any, Any, Any]]


class ChatRateLimiter(BaseRateLimiter[Delivery]):
    """Paces what is sent to chats; who is called for anything else waits for none of them.

    The library's own has everybody wait when Telegram has one chat wait, gives up after some
    tries, and counts whatever names a chat as a message to it.
    """

    def __init__(self, per_second: int, waits: RetryAfterWaits, outage: Outage) -> None:
        """`per_second` 0 lifts the limits."""
        self._overall = TokenBucket(per_second, per_second) if per_second else None
        self._waits = waits
        self._outage = outage
        self._messages_in_groups = TokenBucket(_BURST, _PER_SECOND_IN_GROUPS)
        self._edits_in_groups = TokenBucket(_BURST, _PER_SECOND_IN_GROUPS)
        self._edits_in_private = TokenBucket(_BURST, _EDITS_PER_SECOND_IN_PRIVATE)
        self._sending = asyncio.Semaphore(_SENDING_AT_ONCE)

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
        rate_limit_args: Delivery | None,
    ) -> Any:
        """Make a call when it may be made, and again when Telegram had it wait."""

        async def call() -> Any:
            return await callback(*args, **kwargs)

        if endpoint in _OUTSIDE:
            return await call()
        chat = data.get("chat_id")
        if chat is not None and endpoint.startswith(("send", "edit", "delete")):
            is_message = endpoint.startswith("send")
            return await self._send(call, chat, rate_limit_args, is_message=is_message)
        key = (endpoint, chat)
        while True:
            await self._waits.wait_for_call(key)
            try:
                return await self._watched(call, FETCHING if endpoint == "getFile" else SENDING)
            except RetryAfter as error:
                self._waits.add_call(key, endpoint, seconds_of(error))

    async def turn_to_edit(self, chat: int) -> None:
        """Wait until a chat's turn comes for a change of a message.

        Whoever makes many need not queue them here, if one shows them all.
        """
        await self._waits.wait_for_chat(chat)
        if self._overall is not None:
            await (self._edits_in_groups if _is_group(chat) else self._edits_in_private).wait(chat)

    async def _send(
        self, call: Call, chat: int | str, delivery: Delivery | None, *, is_message: bool
    ) -> Any:
        """Make a call when its chat's turn comes; private chats are paced by who answers photos."""
        delivery = delivery or Delivery()
        while True:
            await self._waits.wait_for_chat(chat)
            if self._overall is not None:
                if is_message and _is_group(chat):
                    await self._messages_in_groups.wait(chat)
                await self._overall.wait(None)
            async with self._sending:
                if self._waits.of_chat(chat) > 0:  # since it waited for its turn
                    continue
                try:
                    return await delivery.attempt(lambda: self._watched(call, SENDING))
                except RetryAfter as error:
                    self._waits.add_chat(chat, seconds_of(error))

    async def _watched(self, call: Call, way: str) -> Any:
        """Make a call, and note whether Telegram is there."""
        try:
            made = await call()
        except (NetworkError, InvalidToken) as error:
            if not isinstance(error, BadRequest):
                self._outage.failed(way, kind_of(error), is_known=was_not_sent(error))
            raise
        self._outage.worked(way)
        return made


def _is_group(chat: int | str) -> bool:
    return isinstance(chat, str) or chat < 0
