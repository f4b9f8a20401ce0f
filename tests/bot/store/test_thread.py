"""What is run is on disk when it returns, in order, together, and failures stay alone."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bot.store import opinions, records
from bot.store.records import Purpose, Record
from bot.store.thread import StoreThread
from core.store.database import StoreUnusable


def asked(message: int) -> Record:
    return Record(
        at=1.0,
        chat=7,
        message=message,
        asked=message,
        thread=None,
        person=7,
        author=7,
        language="en",
        purpose=Purpose.WHAT,
        album=None,
        file_id="f",
        size=None,
    )


async def test_what_waits_is_committed_together_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreThread(tmp_path)
    batches: list[int] = []
    real = store._commit

    def counted(batch: list[Any]) -> list[Any]:
        batches.append(len(batch))
        return real(batch)

    monkeypatch.setattr(store, "_commit", counted)
    rows = await asyncio.gather(*(store.run(records.accept, asked(n)) for n in range(50)))
    assert rows == list(range(1, 51))
    assert sum(batches) == 50
    assert len(batches) < 10
    with sqlite3.connect(tmp_path / "catdog.sqlite3") as other:
        assert other.execute("SELECT count(*) FROM bot_photos").fetchone() == (50,)
    await store.close()


async def test_work_that_fails_is_undone_alone(tmp_path: Path) -> None:
    store = StoreThread(tmp_path)

    def half(db: sqlite3.Connection) -> None:
        records.accept(db, asked(1))
        raise KeyError("a bug")

    first, second = await asyncio.gather(
        store.run(half), store.run(records.accept, asked(2)), return_exceptions=True
    )
    assert isinstance(first, KeyError)
    assert isinstance(second, int)
    left = await store.run(lambda db: db.execute("SELECT message FROM bot_photos").fetchall())
    assert [row["message"] for row in left] == [2]
    await store.close()


async def test_a_disk_that_fails_fails_all_and_the_thread_goes_on(tmp_path: Path) -> None:
    store = StoreThread(tmp_path)
    await store.run(lambda db: db.execute("PRAGMA query_only = ON"))
    outcomes = await asyncio.gather(
        *(store.run(records.accept, asked(n)) for n in range(3)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {StoreUnusable}
    connection = store._store._connection
    store._executor.submit(connection.execute, "PRAGMA query_only = OFF").result()
    assert await store.run(records.accept, asked(9)) is not None
    await store.close()


async def test_a_message_that_is_delivered_again_is_accepted_once(tmp_path: Path) -> None:
    store = StoreThread(tmp_path)
    assert await store.run(records.accept, asked(1)) == 1
    assert await store.run(records.accept, asked(1)) is None
    await store.close()


async def test_pseudonyms_are_steady_and_differ_between_stores(tmp_path: Path) -> None:
    names = []
    for folder in ("a", "a", "b"):
        store = StoreThread(tmp_path / folder)
        names.append(await store.run(opinions.pseudonym, 4242))
        await store.close()
    assert names[0] == names[1] != names[2]
