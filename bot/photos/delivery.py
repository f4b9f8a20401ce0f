"""Sending: once, however often it has to be tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.ext import AIORateLimiter

log = logging.getLogger(__name__)

Made = TypeVar("Made")

_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0) + 9 * (60.0,)  # seconds: ten minutes of tries
_RETRIES = 3  # of a call that Telegram tells to wait; the library waits as long as it says


@dataclass(frozen=True, slots=True)
class Marks:
    """What to note in the store around a call that must not be made twice."""

    before: Callable[[], Awaitable[object]]  # from now on it may have arrived
    undo: Callable[[], Awaitable[object]]  # it certainly has not


_marks: ContextVar[Marks | None] = ContextVar("marks", default=None)


class MarkingRateLimiter(AIORateLimiter):
    """The library's limiter, which notes a call after it has waited for its turn.

    An answer that waits behind others has certainly not been sent, and a bot that is killed
    meanwhile sends it after its restart.
    """

    def __init__(self, per_second: int) -> None:
        """`per_second` 0 lifts the limits."""
        if per_second:
            super().__init__(overall_max_rate=per_second, max_retries=_RETRIES)
        else:
            super().__init__(overall_max_rate=0, group_max_rate=0, max_retries=_RETRIES)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        marks = _marks.get()

        async def marked(*args: Any, **kwargs: Any) -> Any:
            if marks is None:
                return await callback(*args, **kwargs)
            await marks.before()
            try:
                return await callback(*args, **kwargs)
            except Exception as error:
                if was_not_sent(error):
                    await marks.undo()
                raise

        return await super().process_request(marked, args, kwargs, endpoint, data, rate_limit_args)


def was_not_sent(error: Exception) -> bool:
    """Tell whether a call that failed has certainly had no effect, and may be made again."""
    if isinstance(error, (RetryAfter, BadRequest, Forbidden, ChatMigrated, InvalidToken)):
        return True
    if not isinstance(error, NetworkError):
        return False
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPError):
        return isinstance(
            cause,
            (
                httpx.ConnectError,
                httpx.ConnectTimeout,
                httpx.PoolTimeout,
                httpx.WriteError,
                httpx.WriteTimeout,
            ),
        )
    return True  # Telegram answered with a 5xx: it did not do it


async def deliver(
    send: Callable[[], Awaitable[Made]],
    marks: Marks | None = None,
    *,
    delays: tuple[float, ...] = _DELAYS,
) -> Made | None:
    """Make a call until it was made; None if it cannot be, or if nobody knows whether it was.

    What Telegram refuses for good (the person has blocked the bot, say) is logged in a line.
    """
    token = _marks.set(marks)
    try:
        for delay in (*delays, None):
            try:
                return await send()
            except ChatMigrated:
                raise
            except (BadRequest, Forbidden) as error:
                log.info("Telegram refused a message (%s)", type(error).__name__)
                return None
            except NetworkError as error:
                if not was_not_sent(error):
                    log.warning("whether a message arrived is not known (%s)", _kind(error))
                    return None
                log.info("a message could not be sent yet (%s)", _kind(error))
            except (RetryAfter, InvalidToken) as error:
                log.info("a message could not be sent yet (%s)", type(error).__name__)
            except TelegramError as error:  # an answer that nobody can read
                log.warning("whether a message arrived is not known (%s)", type(error).__name__)
                return None
            if delay is not None:
                await asyncio.sleep(delay)
        log.warning("a message could not be sent, and is given up")
        return None
    finally:
        _marks.reset(token)


def _kind(error: NetworkError) -> str:
    return type(error.__cause__ or error).__name__
