"""Sorts a folder for as long as it runs: what is there, and what comes."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from core.paths import display
from core.store.database import Store, StoreUnusable
from sorter.filing.late_sidecars import PATIENCE, follow_photos, may_still_get_its_photo
from sorter.filing.mover import Mover
from sorter.filing.pipeline import Sorting, sidecar_outcome, sort_photos
from sorter.identity import FileIdentity
from sorter.journal.left_files import Memory
from sorter.moving.completeness import STILL_SECONDS, Writers, seconds_until_still, writers_of
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.scanning.scan import Found, Inbox, Skipped, unlisted_outcome
from sorter.sidecars.matching import FolderSidecars, Sidecars
from sorter.signals import Stop
from sorter.watching.events import FolderEvents
from sorter.watching.stability import SettlingFiles

log = logging.getLogger(__name__)

_TICK = 0.2  # seconds between looks at events and at files that are settling
_RESCAN = 15.0  # seconds between looks at the whole folder, for what no event told
_POLL = 3.0  # the same where there are no events
_SHARE_OF_TIME = 0.05  # that looking at the whole of a large folder may take, at most
_AWAY = 1.0  # seconds between looks for a folder that is gone
_TRY_AGAIN_LATER = 5.0  # seconds, if the journal cannot be written
_LATE_EVENT = 5.0  # seconds: a file that old would have been told of, were events coming
_UNFINISHED = 3.0  # seconds between looks at a photo whose download goes on
_AGAIN = 5.0  # seconds before a file that failed is tried again, twice as long each time
_LONGEST_AGAIN = 600.0  # seconds
_AT_ONCE = 256  # files between looks at events
_DEAF_TOO_OFTEN = 3  # times without a single event, and they are given up

_TRY_AGAIN = {
    Reason.CHANGED,
    Reason.DISK_FULL,
    Reason.NO_PERMISSION,
    Reason.IO_ERROR,
    Reason.DESTINATION_GONE,
    Reason.INTERRUPTED,
    Reason.INTERNAL_ERROR,
}
_NOT_KEPT = {Reason.CONFLICT, Reason.ANOTHER_RUN, Reason.IN_PLACE, Reason.VANISHED}


@dataclass(slots=True)
class Doings:
    """What a daemon has done since it started, for `catdog status`."""

    polling: bool = False
    last_event: float | None = None  # seconds since 1970
    filed: int = 0
    stayed: int = 0
    failed: int = 0
    waiting: int = 0
    trouble: str | None = None


class Keeper(Protocol):
    """What a watcher needs around it."""

    @property
    def doings(self) -> Doings:
        """Where the watcher counts what it does."""

    @property
    def sidecars(self) -> Sidecars:
        """What goes with each photo."""

    def begin_sorting(self) -> Sorting:
        """Give what decides and moves, with a run of the journal that is open."""

    def beat(self) -> None:
        """Hear, several times a second, that all is going on."""


class Watcher:
    """Sorts the photos of an inbox as they settle."""

    def __init__(
        self,
        inbox: Inbox,
        keeper: Keeper,
        store: Store,
        memory: Memory,
        *,
        settle: float,
        still_seconds: float = STILL_SECONDS,
        poll: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.doings = keeper.doings
        self.doings.polling = poll
        self._inbox = inbox
        self._table = inbox.sidecars
        self._keeper = keeper
        self._store = store
        self._memory = memory
        self._settle = settle
        self._still_seconds = still_seconds
        self._settling = SettlingFiles(settle)
        self._clock = clock
        self._events = FolderEvents(inbox.folder, recursive=inbox.recursive)
        self._root: tuple[int, int] | None = None  # device and inode of the folder
        self._next_scan = clock()
        self._untold_is_well = True  # files that were there before events came
        self._deaf = 0  # how often files were found that no event told of, since the last event
        self._skipped: set[Path] = set()  # folders that were told of
        self._unlisted_news: list[FileOutcome] = []
        # what failed and is tried again: the file, why, and how often it was
        self._told: dict[Path, tuple[FileIdentity | None, str | None, int]] = {}

    def run(self, stop: Stop) -> Generator[FileOutcome, None, None]:
        """Give the outcome of each file; ends after the file in hand once `stop` is set."""
        try:
            while not stop.is_set():
                try:
                    self._keeper.beat()
                    if not self._is_there():
                        stop.wait(_AWAY)
                        continue
                    busy = yield from self._tick(stop)
                except StoreUnusable as error:
                    self._rest(stop, str(error))
                    continue
                except Exception as error:  # a bug: the other photos go on
                    log.exception("this should not have happened")
                    self._rest(stop, f"{type(error).__name__}: {error}")
                    continue
                self.doings.waiting = len(self._settling)
                if not busy:
                    stop.wait(_TICK)
        finally:
            self._events.stop()

    def _rest(self, stop: Stop, trouble: str) -> None:
        """Wait a while, and then look at everything anew."""
        self._trouble(trouble)
        self._look_at_all_soon()
        self._next_scan += _TRY_AGAIN_LATER
        stop.wait(_TRY_AGAIN_LATER)

    def _tick(self, stop: Stop) -> Generator[FileOutcome, None, bool]:
        """Look once at events, at the folder if it is time, and at what has settled.

        Returns: whether something had.
        """
        self._hear()
        if self._clock() >= self._next_scan:
            self._scan()
        while self._unlisted_news:
            self.doings.failed += 1
            yield self._unlisted_news.pop()
        folders: dict[Path, list[Path]] = {}
        for path in self._settling.take_settled(self._clock(), _AT_ONCE):
            folders.setdefault(path.parent, []).append(path)
        if not folders:
            return False
        try:
            ready: list[Path] = []
            orphaned: list[Found] = []
            for folder, paths in folders.items():
                found = self._inbox.look_into(folder)
                if found is not None:
                    ready += self._ready(found, paths)
                    if any(self._table.is_sidecar(path.name) for path in paths):
                        orphaned.append(found)
            if not ready and not orphaned:
                return False
            sorting = self._keeper.begin_sorting()
            trouble = None
            with closing(sort_photos(sorting, ready)) as groups:
                for outcomes in groups:
                    self._keeper.beat()
                    for outcome in outcomes:
                        if outcome.reason == Reason.DESTINATION_GONE:
                            trouble = outcome.message
                        if self._is_news(outcome):
                            yield outcome
                    if stop.is_set():
                        break
            for found in orphaned:
                yield from self._late(sorting.mover, found)
            self._memory.flush()
            self._trouble(trouble)
        except BaseException:
            for path in (path for paths in folders.values() for path in paths):
                self._settling.forget(path)  # the next look at the folder finds them again
            raise
        return True

    def _is_there(self) -> bool:
        """Make sure of the folder and of its events: it may be unmounted, or made anew."""
        try:
            status = self._inbox.folder.stat()
        except OSError:
            if self._root is not None:
                self._events.stop()
                self._root = None
                self._trouble(
                    f"{display(self._inbox.folder)} is not there any more. Waiting for it."
                )
            return False
        root = (status.st_dev, status.st_ino)
        if root != self._root:
            self._root = root
            self._trouble(None)
            self._listen()
        elif not self.doings.polling and not self._events.is_alive:
            log.warning("the thread that hears of changes has died: starting it anew")
            self._listen()
        return True

    def _listen(self) -> None:
        """Have events come from the folder that is there now, and look at all of it."""
        if not self.doings.polling and not self._events.start():
            self.doings.polling = True
        self._look_at_all_soon()

    def _look_at_all_soon(self) -> None:
        self._next_scan = self._clock()
        self._untold_is_well = True

    def _hear(self) -> None:
        """Take in what events told."""
        for path in self._events.take():
            self.doings.last_event = time.time()
            self._deaf = 0
            if self._inbox.takes(path):
                self._settling.see(path, self._clock())
            elif self._inbox.recursive and os.path.isdir(path) and self._inbox.holds(path):
                self._look_at_all_soon()  # the files in it told nothing

    def _scan(self) -> None:
        """Look at the whole folder, for what no event told."""
        began = self._clock()
        if self._untold_is_well:  # it begins, or begins anew
            self._memory.forget_missing(self._inbox.folder)
        untold = 0
        try:
            for found in self._inbox.look(self._skip):
                self._keeper.beat()  # a large tree takes its time
                sidecars = filter(self._table.is_sidecar, found.others)
                for name in chain(found.photos, found.passed_over, sidecars):
                    path = found.folder / name
                    if self._settling.see(path, began) and _is_old(path):
                        untold += 1
        except OSError as error:
            folder = display(self._inbox.folder)
            self._trouble(f"{folder} cannot be listed: {error.strerror}. Waiting.")
        self._settling.forget_missing()
        self._told = {path: told for path, told in self._told.items() if os.path.lexists(path)}
        if not self.doings.polling and not self._untold_is_well:
            self._mind_deafness(untold)
        self._untold_is_well = False
        every = _POLL if self.doings.polling else _RESCAN
        self._next_scan = began + max(every, (self._clock() - began) / _SHARE_OF_TIME)

    def _skip(self, skipped: Skipped) -> None:
        """Tell of a folder that is not looked into, once; one that cannot be is a failure."""
        if skipped.folder in self._skipped:
            return
        self._skipped.add(skipped.folder)
        outcome = unlisted_outcome(skipped)
        if outcome is not None:
            self._unlisted_news.append(outcome)
        else:
            log.info("%s is skipped: %s", display(skipped.folder), skipped.why)

    def _mind_deafness(self, untold: int) -> None:
        """Start events anew if files had come without a word, and give them up if that is usual."""
        if not untold:
            return
        self._deaf += 1
        log.warning("%d files had come without an event", untold)
        if self._deaf >= _DEAF_TOO_OFTEN:
            log.warning("events are given up: the folder is looked through instead")
            self._events.stop()
            self.doings.polling = True
        elif not self._events.start():
            self.doings.polling = True

    def _ready(self, found: Found, settled: list[Path]) -> Generator[Path, None, None]:
        """Pick the photos whose sidecars have settled, too, and that are not remembered."""
        sidecars = self._keeper.sidecars.list_folder(
            found.folder, found.names, found.photos_of_other_names
        )
        now = self._clock()
        photos = set(found.photos)
        for path in settled:
            if found.passed_over.get(path.name) is Reason.UNFINISHED:
                self._settling.wait_again(path, now, max(self._settle, _UNFINISHED))
            try:
                is_photo = path.name in photos or (
                    path.name in found.raws and not may_still_get_its_photo(path)
                )
                if is_photo and self._is_ready(path, sidecars, now):
                    yield path
            except StoreUnusable:
                raise
            except Exception:  # a bug that one file shows: the others go on
                log.exception("%s", display(path))
                self._settling.wait_again(path, now, _LONGEST_AGAIN)

    def _is_ready(self, path: Path, sidecars: FolderSidecars, now: float) -> bool:
        """Tell whether a photo can be looked at now; if it has to wait, it comes again."""
        beside = [path.with_name(name) for name in sidecars.of(path.name)]
        unsettled = [one for one in beside if not self._settling.is_settled(one, now)]
        if unsettled or any(writers_of(one) is Writers.SOMEBODY for one in (path, *beside)):
            self._settling.wait_again(path, now, max(self._settle, _TICK))
            return False
        identity = FileIdentity.of(path)
        return identity is not None and self._memory.reason(path, identity) is None

    def _late(self, mover: Mover, found: Found) -> Generator[FileOutcome, None, None]:
        """Send sidecars after photos that have left."""

        def is_settled(path: Path) -> bool:
            return self._settling.is_settled(path, self._clock())

        for placed in follow_photos(
            self._store,
            mover,
            found.folder,
            found.names,
            table=self._table,
            may_leave=is_settled,
        ):
            if placed.reason == Reason.UNCLEAR:
                continue  # it is asked again below
            outcome = sidecar_outcome(placed)
            if self._is_news(replace(outcome, identity=FileIdentity.of(outcome.path))):
                yield outcome
        for name in found.others:
            path = found.folder / name
            if self._table.is_sidecar(name) and may_still_get_its_photo(path):
                self._settling.wait_again(path, self._clock(), PATIENCE)

    def _is_news(self, outcome: FileOutcome) -> bool:
        """Remember what stayed; False for a failure that was told before and goes on."""
        if outcome.outcome is Outcome.MOVED:
            self.doings.filed += outcome.reason != Reason.SIDECAR
            self._settling.forget(outcome.path)
            self._told.pop(outcome.path, None)
            return True
        if outcome.outcome is Outcome.COPIED:
            self.doings.filed += outcome.reason != Reason.SIDECAR
            self._remember(outcome, "copied")
            return True
        if outcome.reason == Reason.BEING_WRITTEN:
            return self._is_told_to_wait(outcome)
        if outcome.reason in _TRY_AGAIN and not self._is_new_failure(outcome):
            return False
        failed = outcome.outcome is Outcome.FAILED
        self.doings.failed += failed
        self.doings.stayed += not failed
        if outcome.reason in _TRY_AGAIN:
            return True
        if outcome.reason is not None and outcome.reason not in _NOT_KEPT:
            self._remember(outcome, outcome.reason)
        return outcome.reason != Reason.ANOTHER_RUN

    def _is_new_failure(self, outcome: FileOutcome) -> bool:
        """Have a file tried again, later each time; False if it failed so before."""
        before = self._told.get(outcome.path)
        same = before is not None and before[:2] == (outcome.identity, outcome.reason)
        tries = before[2] + 1 if before is not None and same else 0
        self._told[outcome.path] = (outcome.identity, outcome.reason, tries)
        wait = min(_AGAIN * 2**tries, _LONGEST_AGAIN)
        self._settling.wait_again(outcome.path, self._clock(), wait)
        return not same

    def _is_told_to_wait(self, outcome: FileOutcome) -> bool:
        """Come back to a file that may still grow; True if that is new, however often it grows."""
        before = self._told.get(outcome.path)
        self._told[outcome.path] = (outcome.identity, outcome.reason, 0)
        wait = max(_UNFINISHED, seconds_until_still(outcome.path, self._still_seconds))
        self._settling.wait_again(outcome.path, self._clock(), wait)
        return before is None or before[1] != outcome.reason

    def _remember(self, outcome: FileOutcome, reason: str) -> None:
        if outcome.identity is not None and outcome.reason != Reason.SIDECAR:
            self._memory.remember(outcome.path, outcome.identity, reason)

    def _trouble(self, message: str | None) -> None:
        """Say what keeps the folder from being sorted, once."""
        if message is not None and message != self.doings.trouble:
            log.warning("%s", message)
        self.doings.trouble = message


def _is_old(path: Path) -> bool:
    """Tell whether a file has been where it is for longer than an event takes to come."""
    try:
        return time.time() - path.lstat().st_ctime > _LATE_EVENT
    except OSError:
        return False
