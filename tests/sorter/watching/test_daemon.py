"""One daemon a folder, whose run ends when it idles, and that writes how it is doing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.errors import ExitCode
from core.model.classifier import Classifier
from core.store.database import Store
from core.store.feedback_table import recorded
from sorter.filing.plan import FilingOptions, FilingPlan
from sorter.routes import Routes
from sorter.scanning.inbox import Inbox
from sorter.undoing.history import runs
from sorter.watching.daemon import Daemon, FolderBusy, only_daemon
from sorter.watching.status import statuses
from tests.sorter.groups import group_of

Put = Callable[[Path, bytes], Path]


class Clock:
    """Time that goes forward when asked to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def daemon(store: Store, classifier: Classifier, tmp_path: Path, clock: Clock) -> Iterator[Daemon]:
    folder = tmp_path / "inbox"
    folder.mkdir()
    routes = Routes(classifier.manifest, folder, 0.6)
    inbox = Inbox(folder, folder, recursive=False, class_folders=frozenset({"cats", "dogs"}))
    plan = FilingPlan(inbox, classifier, routes, FilingOptions(others="move"))
    daemon = Daemon(store, plan, clock=clock)
    yield daemon
    daemon.close()


def file(daemon: Daemon, photo: Path) -> None:
    mover = daemon.begin_sorting().mover
    list(mover.place([group_of(mover, photo, photo.parent / "cats")]))


def test_a_run_ends_after_ten_idle_minutes_and_the_next_file_begins_another(
    daemon: Daemon, store: Store, tmp_path: Path, put: Put, clock: Clock
) -> None:
    file(daemon, put(tmp_path / "inbox" / "tom.jpg", b"tom"))
    clock.now += 599
    daemon.beat()
    file(daemon, put(tmp_path / "inbox" / "mia.jpg", b"mia"))
    clock.now += 599
    daemon.beat()
    assert [run.run.ended is None for run in runs(store)] == [True]
    clock.now += 2
    daemon.beat()
    (first,) = runs(store)
    assert first.run.ended is not None
    assert (first.in_place, first.run.command, first.run.options["others"]) == (2, "watch", "move")
    file(daemon, put(tmp_path / "inbox" / "rex.jpg", b"rex"))
    assert len(runs(store)) == 2


def test_what_was_moved_is_in_the_journal_as_done_half_a_second_later(
    daemon: Daemon, store: Store, tmp_path: Path, put: Put, clock: Clock
) -> None:
    """So that undo can take it back while the daemon runs."""
    file(daemon, put(tmp_path / "inbox" / "tom.jpg", b"tom"))
    assert runs(store)[0].in_place == 0
    clock.now += 0.5
    daemon.beat()
    assert runs(store)[0].in_place == 1


def test_a_run_that_moved_nothing_leaves_no_trace(daemon: Daemon, store: Store) -> None:
    daemon.begin_sorting()
    daemon.close()
    assert runs(store) == []
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
    assert list((store.state_dir / "locks").glob("run-*")) == []


def test_corrections_are_noticed_while_it_runs(
    daemon: Daemon, store: Store, tmp_path: Path, clock: Clock, put: Put
) -> None:
    inbox = tmp_path / "inbox"
    file(daemon, put(inbox / "tom.jpg", b"tom"))
    with store.writing() as db:
        db.execute("UPDATE moves SET label = 'cat'")
    daemon.beat()
    (inbox / "dogs").mkdir()
    (inbox / "cats" / "tom.jpg").rename(inbox / "dogs" / "tom.jpg")
    daemon.beat()
    assert recorded(store) == []
    clock.now += 301
    daemon.beat()
    assert [feedback.label for feedback in recorded(store)] == ["dog"]


def test_it_is_the_only_one_of_its_folder(store: Store, tmp_path: Path) -> None:
    other = Store(store.state_dir)
    with only_daemon(store, tmp_path):
        with pytest.raises(FolderBusy) as refused, only_daemon(other, tmp_path):
            pass
        assert refused.value.exit_code is ExitCode.BUSY
        with only_daemon(other, tmp_path / "another"):
            pass
    with only_daemon(other, tmp_path):
        pass


def test_status_shows_what_it_did_and_whether_it_lives(
    daemon: Daemon, store: Store, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = (tmp_path / "inbox").resolve()

    def shown(*arguments: object) -> tuple[str, int]:
        result = CliRunner().invoke(main, ["status", *map(str, arguments)])
        return result.stdout, result.exit_code

    assert shown() == ("No daemon is running.\n", 0)
    assert shown(folder) == ("No daemon watches it.\n", 1)
    daemon.activity.filed, daemon.activity.waiting = 3, 2
    with only_daemon(store, folder):
        daemon.beat()
        text, code = shown(folder)
        assert code == 0
        assert f"{folder}: watching" in text
        assert f"process {os.getpid()}" in text
        assert "last event never" in text
        assert "3 filed, 0 left, 0 failed, 2 waiting" in text
        daemon.activity.polling = True
        daemon.activity.trouble = "The inbox is not there."
        clock.now += 3
        daemon.beat()
        text, _ = shown()
        assert "polling" in text
        assert "The inbox is not there." in text
        (status,) = statuses(store, now=time.time() + 3600)
        assert status.is_stuck
    text, code = shown(folder)
    assert code == 1
    assert "NOT RUNNING" in text
    (line,) = CliRunner().invoke(main, ["status", "--json"]).stdout.splitlines()
    assert (json.loads(line)["filed"], json.loads(line)["is_alive"]) == (3, False)
    daemon.close()
    assert shown() == ("No daemon is running.\n", 0)


def test_an_idle_daemon_seldom_writes(
    daemon: Daemon, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a disk may sleep."""
    writes: list[int] = []
    writing = Store.writing

    def counted(self: Store) -> Any:
        writes.append(1)
        return writing(self)

    monkeypatch.setattr(Store, "writing", counted)
    for _ in range(3000):  # ten minutes
        clock.now += 0.2
        daemon.beat()
    assert len(writes) <= 11
