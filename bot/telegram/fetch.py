"""From a file's number at Telegram to its bytes, or a reason why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from urllib.parse import quote

from telegram import Bot
from telegram.error import BadRequest, EndPointNotFound, Forbidden, InvalidToken, RetryAfter

from bot.telegram.retry import retry

log = logging.getLogger(__name__)

_DOWNLOAD_SECONDS = 60.0
_PAUSES_SECONDS = (0.5, 2.0, 5.0, 10.0, 20.0)  # between tries
_MOST_REFUSALS = 3  # one may be a passing one
_TELEGRAMS_BYTES = 20 * 2**20  # Telegram's own server hands out no larger files
_SMALL_BYTES = 4 * 2**20  # photos are smaller, files may be larger
_SMALL_AT_ONCE = 8
_LARGE_AT_ONCE = 2


REMEDY = (
    "With --local it names files on its own disk: run catdog where it can read them, or "
    "the server without --local. Else check CATDOG_BOT_API_URL, and whether what stands "
    "before the server passes /file/ on. `catdog doctor --bot` tries it."
)


class FetchCode(StrEnum):
    """Why a file could not be fetched; the names are those of the sentences about it."""

    TOO_BIG = "too_big"
    GONE = "gone"
    TOO_SLOW = "too_slow"
    UNREACHED = "unreached"  # Telegram has it, perhaps, and does not say where
    UNSERVED = "unserved"  # the server hands out no files at all


_REFUSALS = (FetchCode.GONE, FetchCode.UNREACHED, FetchCode.UNSERVED)


class NotFetched(Exception):
    """One file could not be fetched; the others go on."""

    def __init__(self, code: FetchCode, *, limit: int = 0) -> None:
        """`limit` is that of the size, in bytes, if the file is too big."""
        super().__init__(code)
        self.code = code
        self.limit = limit


class Fetcher:
    """Fetches files, as many at once as the memory for them allows, in the order asked."""

    def __init__(
        self, bot: Bot, max_bytes: int, *, pauses: tuple[float, ...] = _PAUSES_SECONDS
    ) -> None:
        self._bot = bot
        self._max_bytes = max_bytes
        self._pauses = pauses
        self._small = asyncio.Semaphore(_SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._serves_files = True  # as far as is known

    @asynccontextmanager
    async def fetched(self, file_id: str, size: int | None) -> AsyncIterator[bytes]:
        """Hold a file's bytes while the context lasts; `size` is in bytes. Raises NotFetched."""
        if size is not None and size > self._max_bytes:
            raise NotFetched(FetchCode.TOO_BIG, limit=self._max_bytes)
        slots = self._small if (size or 0) <= _SMALL_BYTES else self._large
        cut_lengths: set[int] = set()
        refusals = 0

        async def attempt() -> bytes:
            await slots.acquire()
            try:
                return await self._fetch(file_id, size, cut_lengths)
            except BaseException:
                slots.release()
                raise

        def is_passing(error: Exception) -> bool:
            nonlocal refusals
            if isinstance(error, NotFetched) and error.code in _REFUSALS:
                refusals += 1
                return refusals < _MOST_REFUSALS
            is_slow = isinstance(error, NotFetched) and error.code is FetchCode.TOO_SLOW
            return is_slow or isinstance(error, RetryAfter)

        try:
            content = await retry(attempt, self._pauses, is_passing)
        except NotFetched as error:
            if error.code is FetchCode.UNSERVED and self._serves_files:
                self._serves_files = False
                log.warning(
                    "photos cannot be answered: the Bot API server hands out no files here. %s",
                    REMEDY,
                )
            raise
        except (RetryAfter, TimeoutError):
            raise NotFetched(FetchCode.TOO_SLOW) from None
        try:
            if not self._serves_files:
                self._serves_files = True
                log.warning("the Bot API server hands out files again")
            yield content
        finally:
            slots.release()

    async def _fetch(self, file_id: str, size: int | None, cut_lengths: set[int]) -> bytes:
        """Try once. Raises NotFetched, RetryAfter, and TimeoutError if the download hangs.

        `cut_lengths` are those of files that came and were not as long as they should be: what
        ends twice at the same byte is so.
        """
        try:
            path, stated_size = await self._locate(file_id)
            if (stated_size or 0) > self._max_bytes:
                raise NotFetched(FetchCode.TOO_BIG, limit=self._max_bytes)
            async with asyncio.timeout(_DOWNLOAD_SECONDS):
                content = await self._content(path)
        except (NotFetched, RetryAfter, TimeoutError):
            raise
        except (BadRequest, Forbidden) as error:
            if "too big" in str(error).lower():
                limit = min(self._max_bytes, _TELEGRAMS_BYTES)
                raise NotFetched(FetchCode.TOO_BIG, limit=limit) from None
            raise NotFetched(FetchCode.GONE) from None
        except (InvalidToken, EndPointNotFound):
            raise NotFetched(FetchCode.UNREACHED) from None
        except Exception as error:  # the network's doing, or an answer that cannot be read
            log.debug("a file could not be fetched yet (%s)", type(error).__name__)
            raise NotFetched(FetchCode.TOO_SLOW) from None
        if len(content) > self._max_bytes:
            raise NotFetched(FetchCode.TOO_BIG, limit=self._max_bytes)
        length = stated_size if stated_size is not None else size
        if length is not None and len(content) != length and len(content) not in cut_lengths:
            cut_lengths.add(len(content))
            raise NotFetched(FetchCode.TOO_SLOW)
        return content

    async def _locate(self, file_id: str) -> tuple[str, int | None]:
        """Return a file's path at the server, and its size if the server says so.

        The library's own way takes a relative path for one of the current folder, if that is there.
        """
        answer = await self._bot.do_api_request("getFile", {"file_id": file_id})
        path = answer.get("file_path") if isinstance(answer, dict) else None
        if not isinstance(path, str) or not path:
            raise NotFetched(FetchCode.UNREACHED)
        size = answer.get("file_size")
        is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        return path, size if is_size else None

    async def _content(self, path: str) -> bytes:
        try:
            if path.startswith("/") or PureWindowsPath(path).is_absolute():
                return await asyncio.to_thread(_read_local, path, self._max_bytes)
            return await self._bot.request.retrieve(f"{self._bot.base_file_url}/{quote(path)}")
        except (BadRequest, Forbidden, InvalidToken, OSError, ValueError):
            # it has just said that it is there
            raise NotFetched(FetchCode.UNSERVED) from None


def _read_local(path: str, max_bytes: int) -> bytes:
    """Read a file of a server that runs with --local, at most a byte more than `max_bytes`."""
    with Path(path).open("rb") as file:
        return file.read(max_bytes + 1)
