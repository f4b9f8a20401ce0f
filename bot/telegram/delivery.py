"""Sending: once, however often it has to be tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from bot.telegram.request import UnreadableAnswer

log = logging.getLogger(__name__)

Made = TypeVar("Made")

_DELAYS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0) + 9 * (60.0,)  # seconds: ten minutes of tries


class Withdrawn(Exception):
    """What was to be sent is not to be sent any more."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What to note in the store around a call that must not be made twice."""

    before: Callable[[], Awaitable[object]]  # from now on it may have arrived; raises Withdrawn
    undo: Callable[[], Awaitable[object]]  # it certainly has not


@dataclass(slots=True)
class _Delivery:
    """A message that is being sent."""

    marks: Marks | None
    may_have_arrived: bool = field(default=False)


_delivery: ContextVar[_Delivery | None] = ContextVar("delivery", default=None)


async def attempted(call: Callable[[], Awaitable[Made]]) -> Made:
    """Make a call whose turn has come, noting that it may have had its effect.

    An answer that waits behind others has certainly not been sent, and a bot that is killed
    meanwhile sends it after its restart.
    """
    delivery = _delivery.get()
    if delivery is None:
        return await call()
    if delivery.marks is not None:
        await delivery.marks.before()
    delivery.may_have_arrived = True
    try:
        return await call()
    except Exception as error:
        if was_not_sent(error):
            delivery.may_have_arrived = False
            if delivery.marks is not None:
                await delivery.marks.undo()
        raise


def was_not_sent(error: Exception) -> bool:
    """Tell whether a call that failed has certainly had no effect, and may be made again.

    A server, or whatever stands before it, may answer with an error what it has done all the same.
    """
    if isinstance(error, (RetryAfter, BadRequest, Forbidden, ChatMigrated, InvalidToken)):
        return True
    if not isinstance(error, NetworkError) or isinstance(error, UnreadableAnswer):
        return False
    return isinstance(
        error.__cause__,
        (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
            httpx.WriteError,
            httpx.WriteTimeout,
        ),
    )


async def deliver(
    send: Callable[[], Awaitable[Made]],
    marks: Marks | None = None,
    *,
    delays: tuple[float, ...] = _DELAYS,
) -> Made | None:
    """Make a call until it was made; None if it cannot be, or if nobody knows whether it was.

    What Telegram refuses for good (the person has blocked the bot, say) is logged in a line.
    """
    delivery = _Delivery(marks)
    token = _delivery.set(delivery)
    try:
        for delay in (*delays, None):
            try:
                return await send()
            except (ChatMigrated, Withdrawn):
                raise
            except (BadRequest, Forbidden) as error:
                log.info("Telegram refused a message (%s)", type(error).__name__)
                return None
            except Exception as error:
                if delivery.may_have_arrived:
                    level = logging.INFO if isinstance(error, NetworkError) else logging.WARNING
                    log.log(level, "whether a message arrived is not known (%s)", kind_of(error))
                    return None
                if not was_not_sent(error):
                    raise
            if delay is not None:
                await asyncio.sleep(delay)
        log.warning("a message could not be sent, and is given up")
        return None
    finally:
        _delivery.reset(token)


def kind_of(error: Exception) -> str:
    """Name an error for the log, without its text."""
    return type(error.__cause__ or error).__name__
