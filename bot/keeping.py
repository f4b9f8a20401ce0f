"""Photos that people gave for training: fetched again, checked, and kept beside the store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from telegram import Bot

from bot.photos.fetch import Fetcher, NotFetched
from bot.store import opinions, records
from bot.store.records import Record
from bot.store.thread import StoreThread
from core.image import HEADER_BYTES, sniff
from core.store import StoreUnusable

log = logging.getLogger(__name__)

FOLDER = "photos"


class Keeping:
    """Keeps photos in the background; what a stop interrupts is taken up at the next start."""

    def __init__(self, bot: Bot, store: StoreThread, fetcher: Fetcher, state_dir: Path) -> None:
        self._bot = bot
        self._store = store
        self._fetcher = fetcher
        self._folder = state_dir / FOLDER
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, record: Record) -> None:
        """Keep a photo whose owner allows it."""
        task = asyncio.create_task(self._keep(record))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self) -> None:
        """Keep what was allowed and not yet kept when the bot ended."""
        rows = await self._store.run(opinions.to_keep)
        for record in await self._store.run(lambda db: records.find_all(db, rows)):
            self.keep(record)

    async def stop(self) -> None:
        """Leave what is not kept yet to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, record: Record) -> None:
        asked, seen = record.asked, record.seen
        assert seen is not None
        try:
            async with self._fetcher.fetched(self._bot, asked.file_id, asked.size) as content:
                if hashlib.sha256(content).hexdigest() != seen.sha256:
                    log.warning("a photo that was given is not the one that was answered")
                    return
                path = await asyncio.to_thread(_write, self._folder, seen.sha256, content)
            if not await self._store.run(lambda db: opinions.kept(db, record.id, path)):
                path.unlink(missing_ok=True)  # taken back meanwhile
        except NotFetched as error:
            log.info("a photo that was given could not be fetched (%s)", error.code)
        except (OSError, StoreUnusable) as error:
            log.error("a photo that was given could not be kept: %s", error)


def _write(folder: Path, sha256: str, content: bytes) -> Path:
    """Write a file that is there whole or not at all, named after its bytes."""
    suffix = (sniff(content[:HEADER_BYTES]) or "bin").lower().replace("jpeg", "jpg")
    path = folder / sha256[:2] / f"{sha256}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)  # the same bytes, if it is there
    return path
