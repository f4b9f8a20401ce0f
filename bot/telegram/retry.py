"""Making a call again, after a pause, when its failure is a passing one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from telegram.error import RetryAfter

from bot.service.retry_after import seconds_of

Made = TypeVar("Made")


async def retry(
    call: Callable[[], Awaitable[Made]],
    pauses: Iterable[float],
    is_passing: Callable[[Exception], bool],
) -> Made:
    """Return what a call returns, made again after each of `pauses` (seconds) if need be.

    A pause is longer where Telegram says so. Raises what is not passing, and what the last try
    raised.
    """
    for pause in pauses:
        try:
            return await call()
        except Exception as error:
            if not is_passing(error):
                raise
            least = seconds_of(error) if isinstance(error, RetryAfter) else 0.0
        await asyncio.sleep(max(pause, least))
    return await call()
