"""The watcher's own decisions, with a folder in hand."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.classifier import Classifier
from core.errors import CatdogError
from sorter import events as events_module
from sorter import watch as watch_module
from sorter.outcome import FileOutcome
from sorter.routes import Routes
from sorter.scan import Inbox
from sorter.watch import Watcher


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    folder = (tmp_path / "inbox").resolve()
    folder.mkdir()
    return Inbox(folder, folder, recursive=True, class_folders=frozenset({"cats", "dogs"}))


@pytest.fixture
def watched(
    inbox: Inbox, classifier: Classifier
) -> Iterator[Callable[[Callable[[], bool]], list[FileOutcome]]]:
    """Run the watcher on a thread until something is true."""
    stop = threading.Event()
    outcomes: list[FileOutcome] = []
    errors: list[BaseException] = []
    routes = Routes(classifier.manifest, inbox.destination, 0.6)

    def work() -> None:
        try:
            for outcome in Watcher(inbox, classifier, routes, settle=0.3).run(stop):
                outcomes.append(outcome)
        except CatdogError as error:
            errors.append(error)

    thread = threading.Thread(target=work)

    def run_until(true: Callable[[], bool]) -> list[FileOutcome]:
        if thread.ident is None:
            thread.start()
        waited = threading.Event()
        for _ in range(600):
            if true() or errors:
                break
            waited.wait(0.05)
        if errors:
            raise errors[0]
        assert true(), "it did not happen in time"
        return outcomes

    yield run_until
    stop.set()
    if thread.ident is not None:
        thread.join(30)


def test_a_folder_that_is_moved_in_is_looked_through(
    inbox: Inbox, watched: Callable[..., object], draw: Callable[..., object], tmp_path: Path
) -> None:
    trip = tmp_path / "trip" / "day one"
    trip.mkdir(parents=True)
    draw("cats", 400).save(trip / "tom.jpg")  # type: ignore[attr-defined]
    draw("dogs", 400).save(inbox.folder / "rex.jpg")  # type: ignore[attr-defined]
    watched((inbox.folder / "dogs" / "rex.jpg").exists)
    shutil.move(tmp_path / "trip", inbox.folder / "trip")
    watched((inbox.folder / "cats" / "tom.jpg").exists)


def test_without_events_the_folder_is_looked_through_again(
    inbox: Inbox,
    watched: Callable[..., object],
    draw: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when inotify's limit is reached."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(events_module, "Observer", refuse)
    monkeypatch.setattr(watch_module, "_RESCAN", 0.2)
    draw("dogs", 401).save(inbox.folder / "rex.jpg")  # type: ignore[attr-defined]
    watched((inbox.folder / "dogs" / "rex.jpg").exists)
    draw("cats", 401).save(inbox.folder / "tom.jpg")  # type: ignore[attr-defined]
    watched((inbox.folder / "cats" / "tom.jpg").exists)


def test_what_was_left_is_looked_at_again_only_once_it_changes(
    inbox: Inbox,
    watched: Callable[..., object],
    draw: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    classifier: Classifier,
) -> None:
    monkeypatch.setattr(watch_module, "_RESCAN", 0.05)
    looked: list[Path] = []
    real = watch_module.sort_photos

    def counting(
        classifier: Classifier, photos: Iterator[Path], *rest: object
    ) -> Iterator[FileOutcome]:
        for outcome in real(classifier, photos, *rest):  # type: ignore[arg-type]
            looked.append(outcome.path)
            yield outcome

    monkeypatch.setattr(watch_module, "sort_photos", counting)
    tom = inbox.folder / "tom.jpg"
    tom.write_bytes(b"\xff\xd8\xff half a photo")
    draw("dogs", 402).save(inbox.folder / "a.jpg")  # type: ignore[attr-defined]
    watched(lambda: tom in looked)
    draw("dogs", 403).save(inbox.folder / "b.jpg")  # type: ignore[attr-defined]
    watched((inbox.folder / "dogs" / "b.jpg").exists)
    assert looked.count(tom) == 1
    draw("cats", 404).save(tom)  # type: ignore[attr-defined]
    watched((inbox.folder / "cats" / "tom.jpg").exists)


def test_an_inbox_that_goes_away_ends_the_watch_with_a_word(
    inbox: Inbox,
    watched: Callable[..., object],
    draw: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_module, "_RESCAN", 0.1)
    draw("dogs", 406).save(inbox.folder / "rex.jpg")  # type: ignore[attr-defined]
    watched((inbox.folder / "dogs" / "rex.jpg").exists)
    shutil.rmtree(inbox.folder)
    with pytest.raises(CatdogError, match="cannot be watched any more"):
        watched(lambda: False)


def test_a_failure_that_goes_on_is_told_once_and_mended_later(
    inbox: Inbox,
    watched: Callable[..., list[FileOutcome]],
    draw: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file stands where cats/ should be, and then no more."""
    monkeypatch.setattr(watch_module, "_RESCAN", 0.05)
    (inbox.folder / "cats").write_text("in the way")
    tries: list[Path] = []
    place = watch_module.Mover.place

    def counting(self: object, source: Path, *rest: object) -> object:
        tries.append(source)
        return place(self, source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(watch_module.Mover, "place", counting)
    draw("cats", 405).save(inbox.folder / "tom.jpg")  # type: ignore[attr-defined]
    watched(lambda: len(tries) >= 4)
    (inbox.folder / "cats").unlink()
    outcomes = watched((inbox.folder / "cats" / "tom.jpg").exists)
    watched(lambda: bool(outcomes) and outcomes[-1].outcome == "moved")
    told = [outcome.outcome for outcome in outcomes if outcome.path.name == "tom.jpg"]
    assert told == ["failed", "moved"]
