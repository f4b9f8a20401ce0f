"""The store on a thread of its own, so that a slow disk never holds up the loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from core.store.database import Store

Made = TypeVar("Made")
Given = ParamSpec("Given")
Work = Callable[[sqlite3.Connection], Any]


class StoreThread:
    """Runs transactions one after another; what waits meanwhile is committed together."""

    def __init__(self, state_dir: Path) -> None:
        """Open the store, made or brought up to date if need be. Raises StoreUnusable."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store = self._executor.submit(_open, state_dir).result()
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None

    def run(
        self,
        work: Callable[Concatenate[sqlite3.Connection, Given], Made],
        *arguments: Given.args,
        **options: Given.kwargs,
    ) -> asyncio.Future[Made]:
        """Call `work` in a transaction; when this was awaited, it is on disk.

        What is run first is done first, whenever it is awaited. Raises StoreUnusable, and what
        `work` raises.
        """
        future: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda db: work(db, *arguments, **options), future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return future

    async def erase(self) -> None:
        """Overwrite what was deleted in SQLite's write-ahead log, too."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._checkpoint)

    async def close(self) -> None:
        """Finish what waits, and close the store."""
        if self._draining is not None:
            await self._draining
        await asyncio.get_running_loop().run_in_executor(self._executor, self._store.close)
        self._executor.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                outcomes = await loop.run_in_executor(
                    self._executor, self._commit, [work for work, _ in batch]
                )
            except Exception as error:  # the disk is full, or gone: all of the batch is lost
                outcomes = [error] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.cancelled():
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        self._draining = None

    def _checkpoint(self) -> None:
        with self._store.reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _commit(self, batch: list[Work]) -> list[Any]:
        """Do all in one transaction; one that fails is undone alone, and its error returned."""
        outcomes: list[Any] = []
        with self._store.writing() as db:
            for work in batch:
                db.execute("SAVEPOINT one")
                try:
                    outcomes.append(work(db))
                except sqlite3.DatabaseError:
                    raise  # the store's, not the work's
                except Exception as error:
                    outcomes.append(error)
                    db.execute("ROLLBACK TO one")
                db.execute("RELEASE one")
        return outcomes


def _open(state_dir: Path) -> Store:
    store = Store(state_dir)
    with store.reading() as db:
        db.execute("PRAGMA secure_delete = ON")  # overwritten, not only marked as free
    return store
