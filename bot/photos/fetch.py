"""From a file's number at Telegram to its bytes, or a reason why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

log = logging.getLogger(__name__)

_DEADLINE = 60.0  # seconds for one download
_DELAYS = (0.5, 2.0, 5.0, 10.0, 20.0)  # seconds between tries
_SMALL = 4 * 2**20  # bytes; photos are smaller, files may be larger
_SMALL_AT_ONCE = 8
_LARGE_AT_ONCE = 2


class FetchCode(StrEnum):
    """Why a file could not be fetched; the names are those of the sentences about it."""

    TOO_BIG = "too_big"
    GONE = "gone"
    TOO_SLOW = "too_slow"


class NotFetched(Exception):
    """One file could not be fetched; the others go on."""

    def __init__(self, code: FetchCode) -> None:
        super().__init__(code)
        self.code = code


class Fetcher:
    """Fetches files, as many at once as the memory for them allows, in the order asked."""

    def __init__(self, max_bytes: int, *, delays: tuple[float, ...] = _DELAYS) -> None:
        self.max_bytes = max_bytes
        self._delays = delays
        self._small = asyncio.Semaphore(_SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)

    @asynccontextmanager
    async def fetched(self, bot: Bot, file_id: str, size: int | None) -> AsyncIterator[bytes]:
        """Hold a file's bytes while the context lasts. Raises NotFetched."""
        if size is not None and size > self.max_bytes:
            raise NotFetched(FetchCode.TOO_BIG)
        async with self._small if (size or 0) <= _SMALL else self._large:
            yield await self._fetch(bot, file_id)

    async def _fetch(self, bot: Bot, file_id: str) -> bytes:
        for delay in (*self._delays, None):
            try:
                file = await bot.get_file(file_id)
                if (file.file_size or 0) > self.max_bytes:
                    raise NotFetched(FetchCode.TOO_BIG)
                async with asyncio.timeout(_DEADLINE):
                    return bytes(await file.download_as_bytearray())
            except TimeoutError:
                raise NotFetched(FetchCode.TOO_SLOW) from None
            except (BadRequest, Forbidden, InvalidToken) as error:  # 404 is InvalidToken there
                log.info("a file is not there (%s)", type(error).__name__)
                too_big = "too big" in str(error).lower()
                raise NotFetched(FetchCode.TOO_BIG if too_big else FetchCode.GONE) from None
            except TelegramError as error:
                log.info("a file could not be fetched yet (%s)", type(error).__name__)
            if delay is not None:
                await asyncio.sleep(delay)
        raise NotFetched(FetchCode.TOO_SLOW)
