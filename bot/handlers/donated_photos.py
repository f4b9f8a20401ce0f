"""Photos that people gave for training: fetched again, checked, and kept beside the store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from pathlib import Path

from bot.answering.services import Services
from bot.store import opinions, records
from bot.store.records import Record
from bot.telegram.fetch import NotFetched
from core.images.formats import HEADER_BYTES, sniff
from core.runtime.atomic_write import write_atomically
from core.store.database import StoreUnusable

log = logging.getLogger(__name__)

_FOLDER = "photos"
_MOST_AT_ONCE = 100
_OLD_SECONDS = 3600.0


class DonatedPhotos:
    """Keeps photos in the background; what a stop interrupts is taken up at the next start."""

    def __init__(self, services: Services, state_dir: Path) -> None:
        self._services = services
        self._folder = state_dir / _FOLDER
        self._writing: dict[int, set[asyncio.Task[None]]] = {}  # by whose photo it is

    def keep(self, record: Record) -> None:
        self._services.background.run(
            "donated photos", lambda: self._keep(record), most=_MOST_AT_ONCE
        )

    async def resume(self) -> None:
        """Keep what was allowed before the bot ended, and remove what is nobody's (any more)."""
        for path in await asyncio.to_thread(_old_files, self._folder):
            await self._remove_if_nobodys(path)
        rows = await self._services.store.run(opinions.photos_to_keep)
        for record in await self._services.store.run(records.find_all, rows):
            self.keep(record)

    async def written(self, person: int) -> None:
        """Wait until no file of a person's is being written, now that none may be any more."""
        while writing := self._writing.get(person):
            await asyncio.wait(writing)
            writing -= {task for task in writing if task.done()}
        self._writing.pop(person, None)

    async def _keep(self, record: Record) -> None:
        try:
            async with self._services.fetcher.fetched(record.file_id, record.size) as content:
                writing = asyncio.create_task(self._write(record, content))
                of_author = self._writing.setdefault(record.author, set())
                of_author.add(writing)
                try:
                    await asyncio.shield(writing)
                finally:
                    of_author.discard(writing)
        except NotFetched as error:
            log.info("a donated photo could not be fetched (%s)", error.code)
        except (OSError, StoreUnusable) as error:
            log.error("a donated photo could not be kept: %s", error)

    async def _write(self, record: Record, content: bytes) -> None:
        store = self._services.store
        if not await store.run(opinions.may_be_kept, record.id):
            return  # it was taken back meanwhile
        assert record.sha256 is not None
        path = await asyncio.to_thread(_write, self._folder, record.sha256, content)
        if path is None:
            log.warning("a donated photo is not the one that was answered")
        elif not await store.run(opinions.set_kept, record.id, path):
            await self._remove_if_nobodys(path)

    async def _remove_if_nobodys(self, path: Path) -> None:
        if not await self._services.store.run(opinions.is_kept, path):
            path.unlink(missing_ok=True)


def _write(folder: Path, sha256: str, content: bytes) -> Path | None:
    """Write a file, named after its bytes, that is there whole or not at all.

    Returns None if its bytes are others.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        return None
    suffix = (sniff(content[:HEADER_BYTES]) or "bin").lower().replace("jpeg", "jpg")
    path = folder / sha256[:2] / f"{sha256}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)  # the same bytes, if it is there
    return path


def _old_files(folder: Path) -> list[Path]:
    """List files that no bot can be writing any more."""
    if not folder.is_dir():
        return []
    before = time.time() - _OLD_SECONDS
    return [path for path in folder.glob("*/*") if path.stat().st_mtime < before]
