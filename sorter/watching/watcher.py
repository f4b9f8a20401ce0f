"""Sorts a folder for as long as it runs: what is there, and what comes."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from core.paths import display
from core.store.database import Store, StoreUnusable
from sorter.filing.late_sidecars import PATIENCE_SECONDS, follow_photos, may_still_get_its_photo
from sorter.filing.mover import Mover
from sorter.filing.pipeline import sort_photos
from sorter.filing.plan import FilingPlan
from sorter.identity import FileIdentity
from sorter.journal.left_files import LeftFiles
from sorter.moving.completeness import Writers, writers_of
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.scanning.scanned import ScannedFolder
from sorter.sidecars.matching import FolderSidecars, sidecars_in
from sorter.signals import Stop
from sorter.watching.changes import FolderChanges
from sorter.watching.daemon import Daemon
from sorter.watching.retries import (
    GROWING_SECONDS,
    LONGEST_RETRY_SECONDS,
    TRIED_AGAIN,
    Retries,
)
from sorter.watching.settling import SettlingFiles

log = logging.getLogger(__name__)

_TICK_SECONDS = 0.2  # between checks for events and for files that have settled
_AWAY_SECONDS = 1.0  # between checks for a folder that is gone
_REST_SECONDS = 5.0  # if the journal cannot be written
_AT_ONCE = 256  # files between checks for events

_NOT_REMEMBERED = {Reason.CONFLICT, Reason.ANOTHER_RUN, Reason.IN_PLACE, Reason.VANISHED}


class Watcher:
    """Sorts the photos of an inbox as they settle."""

    def __init__(
        self,
        plan: FilingPlan,
        daemon: Daemon,
        store: Store,
        *,
        settle: float,
        poll: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settle` is the seconds that a file must not have changed before it is sorted."""
        self.activity = daemon.activity
        self.activity.polling = poll
        self._inbox = plan.inbox
        self._table = plan.inbox.sidecars
        self._daemon = daemon
        self._store = store
        self._left_files = LeftFiles(store, plan.rules)
        self._settle = settle
        self._clock = clock
        self._settling = SettlingFiles(settle)
        self._retries = Retries(plan.options.still_seconds)
        self._changes = FolderChanges(
            plan.inbox, self._settling, self.activity, beat=daemon.beat, clock=clock
        )

    def run(self, stop: Stop) -> Generator[FileOutcome, None, None]:
        """Yield the outcome of each file; end after the file in hand once `stop` is set."""
        try:
            while not stop.is_set():
                try:
                    self._daemon.beat()
                    if not self._changes.is_there():
                        stop.wait(_AWAY_SECONDS)
                        continue
                    has_sorted = yield from self._tick(stop)
                except StoreUnusable as error:
                    self._rest(stop, str(error))
                    continue
                except Exception as error:  # a bug: the other photos go on
                    log.exception("this should not have happened")
                    self._rest(stop, f"{type(error).__name__}: {error}")
                    continue
                self.activity.waiting = len(self._settling)
                if not has_sorted:
                    stop.wait(_TICK_SECONDS)
        finally:
            self._changes.stop()

    def _rest(self, stop: Stop, trouble: str) -> None:
        """Wait a while, and then scan everything anew."""
        self.activity.set_trouble(trouble)
        self._changes.catch_up(after_seconds=_REST_SECONDS)
        stop.wait(_REST_SECONDS)

    def _tick(self, stop: Stop) -> Generator[FileOutcome, None, bool]:
        """Take in events, scan the folder if it is time, and sort what has settled.

        Returns: whether something had settled.
        """
        self._changes.take_events()
        if self._changes.is_scan_due:
            if self._changes.is_catching_up:
                self._left_files.forget_missing(self._inbox.folder)
            self._changes.scan()
            self._retries.forget_missing()
        while self._changes.failures:
            self.activity.failed += 1
            yield self._changes.failures.pop()
        settled = self._settling.take_settled(self._clock(), _AT_ONCE)
        try:
            return (yield from self._sort(settled, stop))
        except BaseException:
            for path in settled:
                self._settling.forget(path)  # the next scan of the folder finds them again
            raise

    def _sort(self, settled: list[Path], stop: Stop) -> Generator[FileOutcome, None, bool]:
        folders: defaultdict[Path, list[Path]] = defaultdict(list)
        for path in settled:
            folders[path.parent].append(path)
        sidecars: dict[Path, FolderSidecars] = {}
        ready: list[Path] = []
        with_sidecars: list[ScannedFolder] = []
        for folder, paths in folders.items():
            scanned = self._inbox.scan_folder(folder)
            if scanned is not None:
                photos = scanned.photos_of_other_names
                here = sidecars_in(folder, scanned.names, photos, self._table)
                sidecars[folder] = here
                ready += self._ready(scanned, paths, here)
                if any(self._table.is_sidecar(path.name) for path in paths):
                    with_sidecars.append(scanned)
        if not ready and not with_sidecars:
            return False
        sorting = self._daemon.begin_sorting()
        trouble = None
        with closing(sort_photos(sorting, sidecars, ready)) as groups:
            for outcomes in groups:
                self._daemon.beat()
                for outcome in outcomes:
                    if outcome.reason == Reason.DESTINATION_GONE:
                        trouble = outcome.message
                    if self._is_news(outcome):
                        yield outcome
                if stop.is_set():
                    break
        for scanned in with_sidecars:
            yield from self._follow_photos(sorting.mover, scanned)
        self._left_files.flush()
        self.activity.set_trouble(trouble)
        return True

    def _ready(
        self, scanned: ScannedFolder, settled: list[Path], here: FolderSidecars
    ) -> Generator[Path, None, None]:
        """Yield the photos whose sidecars have settled, too, and that were not left before."""
        now = self._clock()
        photos = set(scanned.photos)
        for path in settled:
            if scanned.passed_over.get(path.name) is Reason.UNFINISHED:
                self._settling.wait_again(path, now, max(self._settle, GROWING_SECONDS))
            try:
                is_photo = path.name in photos or (
                    path.name in scanned.raws and not may_still_get_its_photo(path)
                )
                if is_photo and self._is_ready(path, here, now):
                    yield path
            except StoreUnusable:
                raise
            except Exception:  # a bug that one file shows: the others go on
                log.exception("%s", display(path))
                self._settling.wait_again(path, now, LONGEST_RETRY_SECONDS)

    def _is_ready(self, path: Path, here: FolderSidecars, now: float) -> bool:
        """Return whether a photo can be sorted now; if it has to wait, it comes again."""
        beside = [path.with_name(name) for name in here.of(path.name)]
        unsettled = [one for one in beside if not self._settling.is_settled(one, now)]
        if unsettled or any(writers_of(one) is Writers.SOMEBODY for one in (path, *beside)):
            self._settling.wait_again(path, now, max(self._settle, _TICK_SECONDS))
            return False
        identity = FileIdentity.of(path)
        return identity is not None and self._left_files.reason(path, identity) is None

    def _follow_photos(
        self, mover: Mover, scanned: ScannedFolder
    ) -> Generator[FileOutcome, None, None]:
        def is_settled(path: Path) -> bool:
            return self._settling.is_settled(path, self._clock())

        outcomes = follow_photos(
            self._store,
            mover,
            scanned.folder,
            scanned.names,
            table=self._table,
            may_leave=is_settled,
        )
        for outcome in outcomes:
            if outcome.reason == Reason.UNCLEAR:
                continue  # it comes again below
            if self._is_news(replace(outcome, identity=FileIdentity.of(outcome.path))):
                yield outcome
        for name in scanned.others:
            path = scanned.folder / name
            if self._table.is_sidecar(name) and may_still_get_its_photo(path):
                self._settling.wait_again(path, self._clock(), PATIENCE_SECONDS)

    def _is_news(self, outcome: FileOutcome) -> bool:
        """Count an outcome and remember what was left; False for what goes on as before."""
        if outcome.has_moved:
            self.activity.filed += outcome.reason != Reason.SIDECAR
            self._retries.forget(outcome.path)
            if outcome.outcome is Outcome.MOVED:
                self._settling.forget(outcome.path)
            else:
                self._remember(outcome, "copied")
            return True
        if outcome.reason in TRIED_AGAIN:
            seconds, is_news = self._retries.note(outcome)
            self._settling.wait_again(outcome.path, self._clock(), seconds)
            if outcome.reason == Reason.BEING_WRITTEN or not is_news:
                return is_news
        failed = outcome.outcome is Outcome.FAILED
        self.activity.failed += failed
        self.activity.left += not failed
        if outcome.reason in TRIED_AGAIN:
            return True
        if outcome.reason is not None and outcome.reason not in _NOT_REMEMBERED:
            self._remember(outcome, outcome.reason)
        return outcome.reason != Reason.ANOTHER_RUN

    def _remember(self, outcome: FileOutcome, reason: str) -> None:
        if outcome.identity is not None and outcome.reason != Reason.SIDECAR:
            self._left_files.remember(outcome.path, outcome.identity, reason)
