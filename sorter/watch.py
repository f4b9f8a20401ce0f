"""Sorts a folder for as long as it runs: what is there, and what comes."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

from core.classifier import Classifier
from core.errors import CatdogError
from core.image import display
from core.photos import FileKind
from sorter.events import changed_paths
from sorter.identity import FileIdentity
from sorter.mover import Mover
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.pipeline import sort_photos
from sorter.routes import Routes
from sorter.scan import Inbox
from sorter.stability import SettlingFiles

_TICK = 0.2  # seconds between looks at files that are settling
_RESCAN = 15.0  # seconds between looks at the whole folder, for what no event told
_TRY_AGAIN = {Reason.CHANGED, Reason.DISK_FULL, Reason.NO_PERMISSION, Reason.IO_ERROR}


class Watcher:
    """Sorts the photos of an inbox as they settle."""

    def __init__(
        self,
        inbox: Inbox,
        classifier: Classifier,
        routes: Routes,
        *,
        settle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._classifier = classifier
        self._routes = routes
        self._mover = Mover()
        self._settling = SettlingFiles(settle)
        self._clock = clock
        self._stayed: dict[Path, FileIdentity] = {}  # looked at and left where they are
        self._told: dict[Path, tuple[FileIdentity | None, str | None]] = {}  # to be tried again

    def run(self, stop: Event) -> Iterator[FileOutcome]:
        """Give the outcome of each file; ends after the file in hand once `stop` is set.

        Raises CatdogError if the folder goes away.
        """
        with changed_paths(self._inbox.folder, recursive=self._inbox.recursive) as changed:
            next_scan = self._clock()
            while not stop.is_set():
                if self._clock() >= next_scan:
                    self._scan()
                    next_scan = self._clock() + _RESCAN
                if self._note(changed):
                    next_scan = self._clock()  # a folder came, with files that told nothing
                settled = self._settling.take_settled(self._clock())
                for outcome in sort_photos(self._classifier, settled, self._routes, self._mover):
                    if self._is_news(outcome):
                        yield outcome
                    if stop.is_set():
                        break
                if not settled:
                    stop.wait(_TICK)

    def _scan(self) -> None:
        try:
            found = [f.path for f in self._inbox.files() if f.kind is FileKind.PHOTO]
        except OSError as error:
            raise CatdogError(
                f"{display(self._inbox.folder)} cannot be watched any more: {error.strerror}. "
                "Start again once it is back."
            ) from error
        here = set(found)
        self._stayed = {path: seen for path, seen in self._stayed.items() if path in here}
        self._told = {path: told for path, told in self._told.items() if path in here}
        for path in found:
            self._see(path)

    def _note(self, changed: queue.SimpleQueue[Path]) -> bool:
        """Take in what events told; True if a folder was among it that is worth a look."""
        folder_came = False
        while True:
            try:
                path = changed.get_nowait()
            except queue.Empty:
                return folder_came
            if self._inbox.takes(path):
                self._see(path)
            elif self._inbox.recursive and os.path.isdir(path):
                folder_came = True

    def _see(self, path: Path) -> None:
        if path not in self._stayed or FileIdentity.of(path) != self._stayed[path]:
            self._settling.see(path, self._clock())

    def _is_news(self, outcome: FileOutcome) -> bool:
        """Remember what stayed; False for a failure that was told before and goes on."""
        if outcome.outcome is Outcome.MOVED:
            return True
        if outcome.reason not in _TRY_AGAIN:
            if outcome.looked_at is not None:
                self._stayed[outcome.path] = outcome.looked_at
            return True
        told = (outcome.looked_at, outcome.reason)
        if self._told.get(outcome.path) == told:
            return False
        self._told[outcome.path] = told
        return True
