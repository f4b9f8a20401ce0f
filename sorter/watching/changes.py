"""Changes in an inbox: by events, and by scans for what no event announced."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from core.paths import display
from sorter.outcome import FileOutcome
from sorter.scanning.inbox import Inbox
from sorter.scanning.scanned import Skipped
from sorter.watching.events import FolderEvents
from sorter.watching.settling import SettlingFiles
from sorter.watching.status import Activity

log = logging.getLogger(__name__)

_RESCAN_SECONDS = 15.0  # between scans of the whole folder
_POLL_SECONDS = 3.0  # the same where there are no events
_SHARE_OF_TIME = 0.05  # that scans of a large folder may take, at most
_LATE_EVENT_SECONDS = 5.0  # a file that old would have been announced, were events coming
_MOST_MISSES = 3  # scans with missed events and not a single event, and these are given up


class FolderChanges:
    """Has files that come into an inbox settle, as long as its folder is there."""

    def __init__(
        self,
        inbox: Inbox,
        settling: SettlingFiles,
        activity: Activity,
        *,
        beat: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        """`beat` is called while a scan goes on; `clock` only goes forward."""
        self.events = FolderEvents(inbox.folder, recursive=inbox.recursive)
        self.failures: list[FileOutcome] = []  # subfolders that cannot be listed, each once
        self.is_catching_up = True  # the next scan is for what came before events did
        self._inbox = inbox
        self._settling = settling
        self._activity = activity
        self._beat = beat
        self._clock = clock
        self._root: tuple[int, int] | None = None  # device and inode of the folder
        self._next_scan = clock()
        self._misses = 0  # scans that found files without an event, since the last event
        self._skipped: set[Path] = set()

    def is_there(self) -> bool:
        """Return whether the folder is there, and its events come: it may be made anew."""
        try:
            status = self._inbox.folder.stat()
        except OSError:
            if self._root is not None:
                self.events.stop()
                self._root = None
                folder = display(self._inbox.folder)
                self._activity.set_trouble(f"{folder} is not there any more. Waiting for it.")
            return False
        root = (status.st_dev, status.st_ino)
        if root != self._root:
            self._root = root
            self._activity.set_trouble(None)
            self._listen()
        elif not self._activity.polling and not self.events.is_alive:
            log.warning("a thread that events pass through has died: starting it anew")
            self._listen()
        return True

    def take_events(self) -> None:
        """Begin to wait for the files that events announced."""
        for path in self.events.take():
            self._activity.last_event = time.time()
            self._misses = 0
            if self._inbox.takes(path):
                self._settling.wait_for(path, self._clock())
            elif self._inbox.recursive and os.path.isdir(path) and self._inbox.holds(path):
                self.catch_up()  # the files in it gave no events

    def catch_up(self, after_seconds: float = 0.0) -> None:
        """Have the whole folder scanned anew."""
        self._next_scan = self._clock() + after_seconds
        self.is_catching_up = True

    @property
    def is_scan_due(self) -> bool:
        return self._clock() >= self._next_scan

    def scan(self) -> None:
        """Begin to wait for all files in the folder that no event announced."""
        began = self._clock()
        missed = 0
        try:
            for scanned in self._inbox.scan(self._skip):
                self._beat()  # a large tree takes its time
                sidecars = filter(self._inbox.sidecars.is_sidecar, scanned.others)
                for name in chain(scanned.photos, scanned.passed_over, sidecars):
                    path = scanned.folder / name
                    missed += self._settling.wait_for(path, began) and _is_old(path)
        except OSError as error:
            folder = display(self._inbox.folder)
            self._activity.set_trouble(f"{folder} cannot be listed: {error.strerror}. Waiting.")
        self._settling.forget_missing()
        if missed and not self._activity.polling and not self.is_catching_up:
            self._mend_events(missed)
        self.is_catching_up = False
        every = _POLL_SECONDS if self._activity.polling else _RESCAN_SECONDS
        self._next_scan = began + max(every, (self._clock() - began) / _SHARE_OF_TIME)

    def stop(self) -> None:
        self.events.stop()

    def _listen(self) -> None:
        """Have events come from the folder that is there now, and scan all of it."""
        if not self._activity.polling:
            self._activity.polling = not self.events.start()
        self.catch_up()

    def _skip(self, skipped: Skipped) -> None:
        """Report a folder that is not scanned, once; one that cannot be is a failure."""
        if skipped.folder in self._skipped:
            return
        self._skipped.add(skipped.folder)
        if skipped.failure is not None:
            self.failures.append(skipped.failure)
        else:
            log.info("%s is skipped: %s", display(skipped.folder), skipped.why)

    def _mend_events(self, missed: int) -> None:
        """Start events anew after some were missed, and give them up if that is usual."""
        self._misses += 1
        log.warning("%d files had come without an event", missed)
        if self._misses >= _MOST_MISSES:
            log.warning("events are given up: the folder is scanned instead")
            self.events.stop()
            self._activity.polling = True
        else:
            self._activity.polling = not self.events.start()


def _is_old(path: Path) -> bool:
    """Return whether a file has been where it is for longer than an event takes to come."""
    try:
        return time.time() - path.lstat().st_ctime > _LATE_EVENT_SECONDS
    except OSError:
        return False
