"""Sending a message once, however often that has to be tried."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from bot.telegram.retry import retry

log = logging.getLogger(__name__)

Made = TypeVar("Made")

_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0) + 9 * (60.0,)  # ten minutes of tries
_BEFORE_IT_WAS_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.WriteError,
    httpx.WriteTimeout,
)


class Withdrawn(Exception):
    """What was to be sent is not to be sent any more."""


async def _note_nothing() -> None:
    pass


@dataclass(slots=True)
class Delivery:
    """A message that is being sent; goes with each call to the rate limiter, as `rate_limit_args`.

    The limiter makes the attempt when the message's turn has come: one that waits behind others
    has certainly not been sent, and a bot that is killed meanwhile sends it after its restart.
    """

    note_sending: Callable[[], Awaitable[object]] = _note_nothing  # raises Withdrawn
    note_not_sent: Callable[[], Awaitable[object]] = _note_nothing
    may_have_arrived: bool = False

    async def attempt(self, call: Callable[[], Awaitable[Made]]) -> Made:
        """Make the call that sends, with a note in the store that it may have had its effect."""
        await self.note_sending()
        self.may_have_arrived = True
        try:
            return await call()
        except Exception as error:
            if was_not_sent(error):
                self.may_have_arrived = False
                await self.note_not_sent()
            raise


def was_not_sent(error: Exception) -> bool:
    """Whether a call that failed has certainly had no effect, and may be made again.

    A server, or whatever stands before it, may answer with an error what it has done all the same.
    """
    if isinstance(error, (RetryAfter, BadRequest, Forbidden, ChatMigrated, InvalidToken)):
        return True
    if not isinstance(error, NetworkError) or isinstance(error, UnreadableAnswer):
        return False
    return isinstance(error.__cause__, _BEFORE_IT_WAS_SENT)


def _is_passing(error: Exception) -> bool:
    return was_not_sent(error) and not isinstance(error, (BadRequest, Forbidden, ChatMigrated))


async def deliver(
    send: Callable[[], Awaitable[Made]],
    delivery: Delivery,
    *,
    pauses: tuple[float, ...] = _PAUSES_SECONDS,
) -> Made | None:
    """Send a message, with `delivery` as `rate_limit_args`, until it was sent.

    Returns None if it cannot be sent, or if nobody knows whether it was.

    What Telegram refuses for good (the person has blocked the bot, say) is logged in a line.
    Raises ChatMigrated, and Withdrawn.
    """
    try:
        return await retry(send, pauses, _is_passing)
    except (ChatMigrated, Withdrawn):
        raise
    except (BadRequest, Forbidden) as error:
        log.info("Telegram refused a message (%s)", type(error).__name__)
    except Exception as error:
        if delivery.may_have_arrived:
            level = logging.INFO if isinstance(error, NetworkError) else logging.WARNING
            log.log(level, "whether a message arrived is not known (%s)", kind_of(error))
        elif was_not_sent(error):
            log.warning("a message could not be sent, and is given up")
        else:
            raise
    return None


def kind_of(error: Exception) -> str:
    """Name an error for the log, without its text."""
    return type(error.__cause__ or error).__name__
