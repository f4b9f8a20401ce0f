"""The daemon with a real folder: its events, those it misses, and what it waits for."""

from __future__ import annotations

import io
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver, EventEmitter, EventQueue, ObservedWatch

from core.model.classifier import Classifier
from core.store.database import Store, StoreUnusable
from sorter.filing import late_sidecars
from sorter.filing import mover as mover_module
from sorter.filing.move_group import move_group
from sorter.filing.pipeline import sort_photos
from sorter.filing.plan import FilingPlan
from sorter.outcome import FileOutcome
from sorter.routes import Routes
from sorter.scanning.inbox import Inbox
from sorter.signals import graceful_shutdown
from sorter.watching import changes, retries
from sorter.watching import events as events_module
from sorter.watching import watcher as watch_module
from sorter.watching.daemon import Daemon
from sorter.watching.watcher import Watcher
from tests.core.images.raw_files import FORMATS

Draw = Callable[..., Any]
Wait = Callable[[Callable[[], object]], None]
Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


class Running:
    """A daemon on a thread of its own."""

    def __init__(self, inbox: Inbox, classifier: Classifier, settle: float, poll: bool) -> None:
        self.inbox = inbox
        self.outcomes: list[FileOutcome] = []
        self.stop = threading.Event()
        self.begun = threading.Event()
        self.watcher: Watcher
        self._error: list[BaseException] = []
        self._classifier = classifier
        self._settle = settle
        self._poll = poll
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        store = Store(Path(os.environ["CATDOG_STATE_DIR"]))
        routes = Routes(self._classifier.manifest, self.inbox.destination, 0.6)
        plan = FilingPlan(self.inbox, self._classifier, routes)
        daemon = Daemon(store, plan)
        self.watcher = Watcher(plan, daemon, store, settle=self._settle, poll=self._poll)
        self.begun.set()
        try:
            for outcome in self.watcher.run(self.stop):
                self.outcomes.append(outcome)
        except BaseException as error:
            self._error.append(error)
        finally:
            daemon.close()
            store.close()

    def start(self) -> Running:
        self._thread.start()
        assert self.begun.wait(30)
        return self

    def end(self) -> None:
        self.stop.set()
        if self._thread.ident is not None:
            self._thread.join(30)
            assert not self._thread.is_alive()
        assert not self._error

    def reported(self, name: str) -> list[str]:
        return [o.outcome.value for o in self.outcomes if o.path.name == name]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    folder = (tmp_path / "inbox").resolve()
    folder.mkdir()
    return Inbox(folder, folder, recursive=True, class_folders=frozenset({"cats", "dogs"}))


@pytest.fixture
def daemon(inbox: Inbox, classifier: Classifier) -> Iterator[Callable[..., Running]]:
    """Start daemons that end with the test."""
    running: list[Running] = []

    def start(*, settle: float = 0.2, poll: bool = False) -> Running:
        running.append(Running(inbox, classifier, settle, poll).start())
        return running[-1]

    yield start
    for one in running:
        one.end()


@pytest.fixture
def no_rescan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files noticed by nothing but events."""
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 3600.0)


def started_watching(running: Running) -> bool:
    changes = running.watcher._changes
    return changes.events.is_alive and not changes.is_catching_up


@pytest.mark.usefixtures("no_rescan")
def test_a_folder_tree_that_is_moved_in_is_scanned(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, tmp_path: Path, wait_until: Wait
) -> None:
    trip = tmp_path / "trip" / "day one"
    trip.mkdir(parents=True)
    draw("cats", 400).save(trip / "tom.jpg")
    running = daemon()
    wait_until(lambda: started_watching(running))
    shutil.move(tmp_path / "trip", inbox.folder / "trip")
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    draw("dogs", 400).save(inbox.folder / "trip" / "day one" / "later.jpg")
    wait_until((inbox.folder / "dogs" / "later.jpg").exists)


@pytest.mark.usefixtures("no_rescan")
def test_a_file_renamed_in_and_one_that_gets_its_name_are_noticed(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, tmp_path: Path, wait_until: Wait
) -> None:
    running = daemon()
    wait_until(lambda: started_watching(running))
    draw("cats", 401).save(tmp_path / "outside.jpg")
    (tmp_path / "outside.jpg").rename(inbox.folder / "inside.jpg")
    draw("dogs", 401).save(inbox.folder / "rex.jpg.part", format="JPEG")
    (inbox.folder / "rex.jpg.part").rename(inbox.folder / "rex.jpg")
    wait_until((inbox.folder / "cats" / "inside.jpg").exists)
    wait_until((inbox.folder / "dogs" / "rex.jpg").exists)
    assert running.watcher.activity.last_event is not None


@pytest.mark.usefixtures("no_rescan")
@pytest.mark.parametrize("thread", ["observer", "emitter", "reader"])
def test_a_thread_that_died_is_started_anew(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    thread: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of the threads that an event passes through, killed, and then a file dropped."""
    inotify = pytest.importorskip("watchdog.observers.inotify_c", reason="Linux has the three")
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    running = daemon()
    wait_until(lambda: started_watching(running))
    events = running.watcher._changes.events
    kinds = {"observer": BaseObserver, "emitter": EventEmitter, "reader": inotify.InotifyFD}
    (victim,) = [one for one in events._threads if isinstance(one, kinds[thread])]

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("killed by the test")

    dying = {"observer": "dispatch_events", "emitter": "queue_events", "reader": "handle_event"}
    monkeypatch.setattr(victim, dying[thread], die)
    draw("dogs", 402).save(inbox.folder / "first.jpg")  # what it dies of
    wait_until((inbox.folder / "dogs" / "first.jpg").exists)
    wait_until(lambda: victim not in events._threads and started_watching(running))
    assert not victim.is_alive()
    draw("cats", 402).save(inbox.folder / "second.jpg")
    wait_until((inbox.folder / "cats" / "second.jpg").exists)


@pytest.mark.parametrize("how", ["refused", "asked for"])
def test_without_events_the_folder_is_scanned_again(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As when inotify's limit is reached, and with --poll."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(events_module, "Observer", refuse)
    monkeypatch.setattr(changes, "_POLL_SECONDS", 0.1)
    draw("dogs", 403).save(inbox.folder / "rex.jpg")
    running = daemon(poll=how == "asked for")
    wait_until((inbox.folder / "dogs" / "rex.jpg").exists)
    draw("cats", 403).save(inbox.folder / "tom.jpg")
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    assert running.watcher.activity.polling
    assert ("inotify watch limit reached" in caplog.text) == (how == "refused")


def test_missed_events_are_noticed_and_mended(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Events are dropped without a word, as when inotify's queue overflows; then always."""
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 0.2)
    monkeypatch.setattr(
        changes, "_LATE_EVENT_SECONDS", -3600.0
    )  # any file should have been announced
    running = daemon()
    wait_until(lambda: started_watching(running))
    events = running.watcher._changes.events
    monkeypatch.setattr(events, "take", set)
    first = events._threads
    draw("cats", 404).save(inbox.folder / "tom.jpg")
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    wait_until(lambda: events._threads is not first)
    assert "files had come without an event" in caplog.text
    for number in range(2):
        draw("dogs", 500 + number).save(inbox.folder / f"{number}.jpg")
        wait_until((inbox.folder / "dogs" / f"{number}.jpg").exists)
    wait_until(lambda: running.watcher.activity.polling)
    assert "events are given up" in caplog.text


def test_what_was_left_is_sorted_again_only_once_it_changes(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At no scan of the folder, and at no start either."""
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 0.05)
    tom = inbox.folder / "tom.jpg"
    tom.write_bytes(b"\xff\xd8\xff half a photo")
    draw("other", 405).save(inbox.folder / "lamp.jpg")
    first = daemon()
    wait_until(lambda: first.reported("tom.jpg") and first.reported("lamp.jpg"))
    draw("dogs", 405).save(inbox.folder / "a.jpg")
    wait_until((inbox.folder / "dogs" / "a.jpg").exists)
    first.end()
    second = daemon()
    draw("dogs", 406).save(inbox.folder / "b.jpg")
    wait_until((inbox.folder / "dogs" / "b.jpg").exists)
    assert (first.reported("tom.jpg"), second.reported("tom.jpg")) == (["failed"], [])
    assert (first.reported("lamp.jpg"), second.reported("lamp.jpg")) == (["left"], [])
    draw("cats", 405).save(tom)
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)


def test_under_other_rules_it_is_sorted_again(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait, store: Store
) -> None:
    """Another model, another threshold: all that the rules name."""
    draw("other", 407).save(inbox.folder / "lamp.jpg")
    first = daemon()
    wait_until(lambda: first.reported("lamp.jpg"))
    first.end()
    with store.writing() as db:
        assert db.execute("UPDATE stayed SET rules = 'others'").rowcount == 1
    second = daemon()
    wait_until(lambda: second.reported("lamp.jpg"))


def test_what_undo_put_back_is_left_alone_until_it_changes(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait, store: Store
) -> None:
    from sorter.undoing.selection import groups_of
    from sorter.undoing.undo import put_back

    tom = inbox.folder / "tom.jpg"
    draw("cats", 408).save(tom)
    running = daemon()
    filed = inbox.folder / "cats" / "tom.jpg"
    wait_until(lambda: running.reported("tom.jpg") == ["moved"])
    wait_until(lambda: [o for o in put_back(store, groups_of(store), dry_run=False) if o.done])
    assert tom.exists()
    draw("dogs", 408).save(inbox.folder / "rex.jpg")
    wait_until(lambda: running.reported("rex.jpg"))
    wait_until(lambda: len(running.watcher._settling) == 0)
    assert tom.exists()
    assert not filed.exists()
    draw("cats", 409).save(tom)
    wait_until(filed.exists)


def test_a_folder_that_goes_away_and_comes_back_is_watched_again(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Removed, and made anew: the old watch is on a folder that is no more."""
    monkeypatch.setattr(watch_module, "_AWAY_SECONDS", 0.05)
    draw("dogs", 410).save(inbox.folder / "rex.jpg")
    running = daemon()
    wait_until((inbox.folder / "dogs" / "rex.jpg").exists)
    shutil.rmtree(inbox.folder)
    wait_until(lambda: "is not there any more" in (running.watcher.activity.trouble or ""))
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 3600.0)
    inbox.folder.mkdir()
    wait_until(lambda: running.watcher.activity.trouble is None)
    wait_until(lambda: started_watching(running))
    draw("cats", 410).save(inbox.folder / "tom.jpg")
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    inbox.folder.rename(tmp_path / "elsewhere")  # and another one takes its place at once
    inbox.folder.mkdir()
    draw("cats", 411).save(inbox.folder / "mia.jpg")
    wait_until((inbox.folder / "cats" / "mia.jpg").exists)


def test_a_failure_that_goes_on_is_reported_once_and_mended_later(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file stands where cats/ should be, and then no more."""
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 0.05)
    monkeypatch.setattr(retries, "LONGEST_RETRY_SECONDS", 0.1)
    (inbox.folder / "cats").write_text("in the way")
    tries: list[object] = []

    def counting(run: Any, group: Any, still_seconds: float) -> None:
        tries.append(group)
        move_group(run, group, still_seconds)

    monkeypatch.setattr(mover_module, "move_group", counting)
    draw("cats", 412).save(inbox.folder / "tom.jpg")
    running = daemon()
    wait_until(lambda: len(tries) >= 4)
    (inbox.folder / "cats").unlink()
    wait_until(lambda: running.reported("tom.jpg")[-1:] == ["moved"])
    assert running.reported("tom.jpg") == ["failed", "moved"]


def test_a_journal_that_cannot_be_written_stops_nothing_for_good(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk of the journal is full for a while: nothing is moved, and then all is."""
    monkeypatch.setattr(watch_module, "_REST_SECONDS", 0.05)
    full = threading.Event()
    writing = Store.writing

    def refused(self: Store) -> Any:
        if full.is_set():
            raise StoreUnusable("The journal cannot be used (disk is full).")
        return writing(self)

    running = daemon()
    wait_until(lambda: started_watching(running))
    monkeypatch.setattr(Store, "writing", refused)
    full.set()
    draw("cats", 413).save(inbox.folder / "tom.jpg")
    wait_until(lambda: "disk is full" in (running.watcher.activity.trouble or ""))
    assert (inbox.folder / "tom.jpg").exists()
    full.clear()
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    wait_until(lambda: running.reported("tom.jpg") == ["moved"])


def test_a_bug_in_one_photo_does_not_end_the_daemon(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(watch_module, "_REST_SECONDS", 0.05)

    def stumbling(*arguments: Any) -> Any:
        if not caplog.text:
            raise ZeroDivisionError("a bug")
        return sort_photos(*arguments)

    monkeypatch.setattr(watch_module, "sort_photos", stumbling)
    draw("cats", 418).save(inbox.folder / "tom.jpg")
    daemon()
    wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    assert "ZeroDivisionError: a bug" in caplog.text


def test_a_journal_that_is_gone_stops_the_filing(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else photos would move without anything that could take them back."""
    monkeypatch.setattr(watch_module, "_REST_SECONDS", 0.05)
    running = daemon()
    wait_until(lambda: started_watching(running))
    (Path(os.environ["CATDOG_STATE_DIR"]) / "catdog.sqlite3").unlink()
    draw("cats", 419).save(inbox.folder / "tom.jpg")
    wait_until(lambda: "is gone" in (running.watcher.activity.trouble or ""))
    assert (inbox.folder / "tom.jpg").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="leases as Linux has them")
def test_a_photo_that_is_open_for_writing_is_waited_for(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait
) -> None:
    """However long its program pauses: the photo may be whole, and more to come."""
    with graceful_shutdown():
        running = daemon(settle=0.1)
        draw("cats", 420).save(inbox.folder / "tom.jpg")
        with (inbox.folder / "tom.jpg").open("ab") as writing:
            draw("dogs", 420).save(inbox.folder / "rex.jpg")
            wait_until((inbox.folder / "dogs" / "rex.jpg").exists)
            wait_until(lambda: len(running.watcher._settling) == 1)
            assert (inbox.folder / "tom.jpg").exists()
            writing.write(b"a film in the photo")
        wait_until((inbox.folder / "cats" / "tom.jpg").exists)
    assert (inbox.folder / "cats" / "tom.jpg").read_bytes().endswith(b"a film in the photo")


def test_a_group_settles_together_and_a_late_sidecar_follows(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    put: Put,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A RAW that is still being copied holds its photo back."""
    monkeypatch.setattr(watch_module, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(late_sidecars, "PATIENCE_SECONDS", 0.5)
    running = daemon(settle=0.4)
    raw = (inbox.folder / "tom.CR2").open("wb")
    draw("cats", 414).save(inbox.folder / "tom.jpg")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        raw.write(b"raw" * 100)
        raw.flush()
        assert (inbox.folder / "tom.jpg").exists()
        time.sleep(0.05)
    raw.close()
    wait_until(lambda: running.reported("tom.CR2") == ["moved"])
    assert (inbox.folder / "cats" / "tom.jpg").exists()
    put(inbox.folder / "tom.jpg.xmp", b"notes that came late")
    wait_until((inbox.folder / "cats" / "tom.jpg.xmp").exists)
    wait_until(lambda: running.reported("tom.jpg.xmp") == ["moved"])
    assert set(tree(inbox.folder)) == {"cats/tom.jpg", "cats/tom.CR2", "cats/tom.jpg.xmp"}


def test_a_photo_whose_sidecars_came_first_does_not_wait_as_long_as_they_would(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait, put: Put
) -> None:
    running = daemon(settle=0.2)
    put(inbox.folder / "tom.xmp", b"notes that came early")
    put(inbox.folder / "tom.mov", b"a film that came early")
    wait_until(lambda: running.watcher.activity.waiting == 2)
    time.sleep(1.0)  # they have settled, and wait for their photo
    draw("cats", 414).save(inbox.folder / "tom.jpg")
    wait_until((inbox.folder / "cats" / "tom.mov").exists)
    assert (inbox.folder / "cats" / "tom.xmp").exists()


def test_a_raw_photo_waits_for_its_jpeg_and_is_filed_alone_in_the_end(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The JPEG decides where both go, if there is one."""
    monkeypatch.setattr(watch_module, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(late_sidecars, "PATIENCE_SECONDS", 2.0)
    running = daemon()
    stream = io.BytesIO()
    draw("dogs", 416, (1200, 800)).save(stream, "JPEG")
    content = FORMATS["DNG"](stream.getvalue(), (1200, 800), 1)
    (inbox.folder / "tom.dng").write_bytes(content)
    draw("cats", 415).save(inbox.folder / "tom.jpg")
    (inbox.folder / "rex.dng").write_bytes(content)
    wait_until((inbox.folder / "cats" / "tom.dng").exists)
    wait_until((inbox.folder / "dogs" / "rex.dng").exists)
    assert running.reported("rex.dng") == ["moved"]


def test_a_subfolder_that_cannot_be_listed_is_reported_once(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "_RESCAN_SECONDS", 0.05)
    scandir, closed = os.scandir, inbox.folder / "closed"
    closed.mkdir()

    def refuse(path: Any) -> Any:  # root may list anything
        if os.fsdecode(path) == str(closed):  # watchdog lists bytes
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    running = daemon()
    for seed in (430, 431):
        draw("cats", seed).save(inbox.folder / f"{seed}.jpg")
        wait_until((inbox.folder / "cats" / f"{seed}.jpg").exists)
    assert running.reported("closed") == ["failed"]


def test_a_class_folder_whose_disk_is_gone_is_waited_for(
    inbox: Inbox,
    daemon: Callable[..., Running],
    draw: Draw,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Status says so, and photos are filed once it is back."""
    monkeypatch.setattr(retries, "_FIRST_RETRY_SECONDS", 0.1)
    cats = inbox.folder / "cats"
    cats.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(cats)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        running = daemon()
        draw("cats", 432).save(inbox.folder / "first.jpg")
        wait_until((cats / "first.jpg").exists)
        wait_until(lambda: running.reported("first.jpg"))
        subprocess.run(["umount", "--lazy", str(cats)], check=True)
        draw("cats", 433).save(inbox.folder / "second.jpg")
        wait_until(lambda: "is not the one any more" in (running.watcher.activity.trouble or ""))
        assert running.reported("second.jpg") == ["failed"]
        assert list(cats.iterdir()) == []
        subprocess.run(mount, check=True)
        wait_until((cats / "second.jpg").exists)
        wait_until(lambda: running.watcher.activity.trouble is None)
        running.end()
    finally:
        subprocess.run(["umount", "--lazy", str(cats)], check=False)


@pytest.mark.skipif(os.name != "posix", reason="special files as POSIX has them")
def test_links_and_special_files_are_never_opened_or_moved(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait, tmp_path: Path
) -> None:
    draw("cats", 415).save(tmp_path / "real.jpg")
    (inbox.folder / "link.jpg").symlink_to(tmp_path / "real.jpg")
    (inbox.folder / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(inbox.folder / "pipe.jpg")  # opening it would block for ever
    os.mkfifo(inbox.folder / "tom.xmp")
    listening = socket.socket(socket.AF_UNIX)
    before = Path.cwd()
    os.chdir(inbox.folder)  # a socket's path may not be long
    listening.bind("socket.jpg")
    os.chdir(before)
    draw("cats", 416).save(inbox.folder / "tom.jpg")
    os.link(inbox.folder / "tom.jpg", inbox.folder / "tom's other name.jpg")
    running = daemon()
    wait_until(lambda: running.reported("tom.jpg") and running.reported("tom's other name.jpg"))
    running.end()
    assert {path.name for path in inbox.folder.iterdir()} == {
        "link.jpg", "loop.jpg", "pipe.jpg", "tom.xmp", "socket.jpg", "cats",
    }  # fmt: skip
    filed = {path.name for path in (inbox.folder / "cats").iterdir()}
    assert filed == {"tom.jpg", "tom's other name.jpg"}
    listening.close()


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes, as POSIX has them")
def test_names_of_all_kinds_arrive(
    inbox: Inbox, daemon: Callable[..., Running], draw: Draw, wait_until: Wait, tmp_path: Path
) -> None:
    names = [
        b"two\nlines.jpg", "😺.jpg".encode(), b"caf\xe9.jpg", b"n" * 251 + b".jpg", b" .jpg",
        b"Tom.jpg", b"tom.jpg", b"-rf.jpg", b"tom.JPG", b"%s{0}.jpg", b"no suffix",
    ]  # fmt: skip
    running = daemon()
    draw("cats", 417).save(tmp_path / "one.jpg")
    for name in names:
        shutil.copy(tmp_path / "one.jpg", inbox.folder / os.fsdecode(name))
    cats = inbox.folder / "cats"
    wait_until(lambda: cats.exists() and len(list(cats.iterdir())) == len(names))
    running.end()
    assert {os.fsencode(path.name) for path in cats.iterdir()} == set(names)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_watchdogs_being_stopped_while_it_waits_is_no_error_to_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from watchdog.observers.inotify import InotifyEmitter

    emitter = InotifyEmitter(EventQueue(), ObservedWatch(str(tmp_path), recursive=False))
    emitter.queue_events(0)  # as when the emitter ends between its question and this
    assert not caplog.records
    logging.getLogger("watchdog.observers.inotify").error("something else")
    assert "something else" in caplog.text
