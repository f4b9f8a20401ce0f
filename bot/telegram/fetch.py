"""From a file's number at Telegram to its bytes, or a reason why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from telegram import Bot
from telegram.error import BadRequest, EndPointNotFound, Forbidden, InvalidToken, RetryAfter

from bot.service.halts import seconds_of
from bot.telegram.files import FileAtTelegram, FileRefused, ServesNoFiles, locate, read_local

log = logging.getLogger(__name__)

_DEADLINE = 60.0  # seconds for one download
_DELAYS = (0.5, 2.0, 5.0, 10.0, 20.0)  # seconds between tries
_REFUSALS = 3  # that end it: one may be a passing one
_TELEGRAMS = 20 * 2**20  # bytes; Telegram's own server hands out no larger files
_SMALL = 4 * 2**20  # bytes; photos are smaller, files may be larger
_SMALL_AT_ONCE = 8
_LARGE_AT_ONCE = 2


class FetchCode(StrEnum):
    """Why a file could not be fetched; the names are those of the sentences about it."""

    TOO_BIG = "too_big"
    GONE = "gone"
    TOO_SLOW = "too_slow"
    UNREACHED = "unreached"  # Telegram has it, perhaps, and does not say where
    UNSERVED = "unserved"  # the server hands out no files at all


class NotFetched(Exception):
    """One file could not be fetched; the others go on."""

    def __init__(self, code: FetchCode, *, limit: int = 0) -> None:
        """`limit` is that of the size, in bytes, if the file is too big."""
        super().__init__(code)
        self.code = code
        self.limit = limit


@dataclass(slots=True)
class _Tries:
    """How the tries to fetch one file went."""

    refusals: int = 0
    code: FetchCode = FetchCode.TOO_SLOW
    length: int | None = None  # of what came and was not as long as it should be
    wait: float = 0.0  # seconds that Telegram says to wait

    def refused(self, code: FetchCode) -> None:
        self.refusals += 1
        self.code = code


class Fetcher:
    """Fetches files, as many at once as the memory for them allows, in the order asked."""

    def __init__(self, max_bytes: int, *, delays: tuple[float, ...] = _DELAYS) -> None:
        self.max_bytes = max_bytes
        self._delays = delays
        self._small = asyncio.Semaphore(_SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._serves = True  # as far as is known

    @asynccontextmanager
    async def fetched(self, bot: Bot, file_id: str, size: int | None) -> AsyncIterator[bytes]:
        """Hold a file's bytes while the context lasts. Raises NotFetched."""
        if size is not None and size > self.max_bytes:
            raise NotFetched(FetchCode.TOO_BIG, limit=self.max_bytes)
        tries = _Tries()
        for delay in (*self._delays, None):
            async with self._small if (size or 0) <= _SMALL else self._large:
                content = await self._fetch(bot, file_id, size, tries)
                if content is not None:
                    yield content
                    return
            if delay is None or tries.refusals >= _REFUSALS:
                break
            await asyncio.sleep(max(delay, tries.wait))
        if tries.code is FetchCode.UNSERVED and self._serves:
            self._serves = False
            log.warning("photos cannot be answered: the Bot API server hands out no files here. %s",
                        ServesNoFiles.REMEDY)  # fmt: skip
        raise NotFetched(tries.code)

    async def _fetch(self, bot: Bot, file_id: str, size: int | None, tries: _Tries) -> bytes | None:
        """Try once; None if it may be tried again. Raises NotFetched."""
        tries.wait, tries.code = 0.0, FetchCode.TOO_SLOW
        try:
            file = await locate(bot, file_id)
            if (file.size or 0) > self.max_bytes:
                raise NotFetched(FetchCode.TOO_BIG, limit=self.max_bytes)
            async with asyncio.timeout(_DEADLINE):
                content = await self._content(bot, file)
        except NotFetched:
            raise
        except TimeoutError:
            raise NotFetched(FetchCode.TOO_SLOW) from None
        except RetryAfter as error:
            tries.wait = seconds_of(error)
        except ServesNoFiles:
            tries.refused(FetchCode.UNSERVED)
        except (BadRequest, Forbidden) as error:
            if "too big" in str(error).lower():
                limit = min(self.max_bytes, _TELEGRAMS)
                raise NotFetched(FetchCode.TOO_BIG, limit=limit) from None
            tries.refused(FetchCode.GONE)
        except (InvalidToken, EndPointNotFound, FileRefused):
            tries.refused(FetchCode.UNREACHED)
        except Exception as error:  # the network's doing, or an answer that cannot be read
            log.debug("a file could not be fetched yet (%s)", type(error).__name__)
        else:
            return self._whole(content, file.size if file.size is not None else size, tries)
        return None

    async def _content(self, bot: Bot, file: FileAtTelegram) -> bytes:
        if file.is_local:
            return await asyncio.to_thread(read_local, file.path, self.max_bytes)
        try:
            return await bot.request.retrieve(f"{bot.base_file_url}/{quote(file.path)}")
        except (BadRequest, Forbidden, InvalidToken):  # it has just said that it is there
            raise ServesNoFiles from None

    def _whole(self, content: bytes, size: int | None, tries: _Tries) -> bytes | None:
        """Give what came, unless it ends early; what does so twice at the same byte is so."""
        if len(content) > self.max_bytes:
            raise NotFetched(FetchCode.TOO_BIG, limit=self.max_bytes)
        if size is not None and len(content) != size and len(content) != tries.length:
            tries.length = len(content)
            return None
        if not self._serves:
            self._serves = True
            log.warning("the Bot API server hands out files again")
        return content
