"""The SQLite file: made, kept, shared between processes, and honest when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.store import database as store_module
from core.store.database import Store, StoreUnusable, from_column, to_column
from core.store.schema import MIGRATIONS


def test_what_was_written_is_there_after_opening_it_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "state")
    with store.writing() as db:
        db.execute("INSERT INTO made_folders VALUES (?)", (b"x",))
    store.close()
    with Store(tmp_path / "deep" / "state").reading() as db:
        assert [row["path"] for row in db.execute("SELECT path FROM made_folders")] == [b"x"]
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def insert_twice() -> None:
        with store.writing() as db:
            db.execute("INSERT INTO made_folders VALUES (?)", (b"x",))
            db.execute("INSERT INTO made_folders VALUES (?)", (b"x",))

    with pytest.raises(StoreUnusable, match="UNIQUE"):
        insert_twice()
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM made_folders").fetchone()[0] == 0


def test_an_older_file_is_brought_up_to_date_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path).close()
    monkeypatch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE new (x);\n"))
    for _ in range(2):
        store = Store(tmp_path)
        with store.reading() as db:
            assert db.execute("SELECT count(*) FROM new").fetchone()[0] == 0
        store.close()


def test_a_file_of_a_newer_catdog_is_not_touched(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "catdog.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnusable, match="newer catdog"):
        Store(tmp_path)


def test_a_failure_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "catdog.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnusable, match=r"cannot be used.*--state-dir"):
        Store(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnusable, match="cannot be made"):
        Store(tmp_path / "file" / "state")


def test_processes_that_open_it_at_once_all_get_it(tmp_path: Path) -> None:
    """The first one makes the tables; the others wait for it, and write one after the other."""
    code = (
        "import sys, pathlib; from core.store.database import Store\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    with store.writing() as db:\n"
        "        path = f'{sys.argv[2]} {n}'.encode()\n"
        "        db.execute('INSERT INTO made_folders VALUES (?)', (path,))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "state"), str(number)])
        for number in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    with Store(tmp_path / "state").reading() as db:
        assert db.execute("SELECT count(*) FROM made_folders").fetchone()[0] == 80


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes, as POSIX has them")
def test_paths_that_are_not_utf8_come_back(tmp_path: Path) -> None:
    path = Path(os.fsdecode(b"/tmp/caf\xe9\n.jpg"))
    assert to_column(path) == b"/tmp/caf\xe9\n.jpg"
    assert from_column(to_column(path)) == path
