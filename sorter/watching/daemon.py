"""A folder's daemon: the only one there, with a run of the journal and its status."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.errors import CatdogError, ExitCode
from core.paths import display
from core.runtime.sd_notify import ServiceManager
from core.store.database import Store
from sorter.filing.pipeline import Sorting
from sorter.filing.plan import FilingPlan
from sorter.journal.locks import daemon_lock
from sorter.journal.run import Run
from sorter.moving.mounts import Mounts
from sorter.undoing.corrections import notice
from sorter.undoing.recovery import recover
from sorter.watching.status import BEAT_SECONDS, Activity, remove_status, write_status

_IDLE_SECONDS = 600.0  # without a file, and the run of the journal is closed
_BUSY_BEAT_SECONDS = 2.0  # between signs of life while something happens
_FLUSH_SECONDS = 0.5  # what was done is marked in the journal together
_CORRECTIONS_SECONDS = 300.0  # between searches for photos that the person has moved
_TRIES = 5  # at the lock of a folder
_RETRY_SECONDS = 0.05


class FolderBusy(CatdogError):
    exit_code = ExitCode.BUSY


@contextmanager
def only_daemon(store: Store, folder: Path) -> Generator[None, None, None]:
    """Be the one daemon of a folder for as long as the context lasts. Raises FolderBusy."""
    lock = daemon_lock(store.state_dir, folder)
    tries = 1
    while not lock.acquire():  # `status` takes it, too, to see whether it is free
        if tries == _TRIES:
            raise FolderBusy(
                f"{display(folder)} is watched by another catdog already. `catdog status` tells "
                "how it is doing; stop it to start this one."
            )
        tries += 1
        time.sleep(_RETRY_SECONDS)
    try:
        yield
    finally:
        lock.release()


class Daemon:
    """Keeps a run of the journal open while there is work, and the status up to date."""

    def __init__(
        self,
        store: Store,
        plan: FilingPlan,
        *,
        manager: ServiceManager | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.activity = Activity()
        self._store = store
        self._plan = plan
        self._manager = manager or ServiceManager.from_environment({})
        self._clock = clock
        self._mounts = Mounts(plan.inbox.destination)
        self._run: Run | None = None
        self._sorting: Sorting | None = None  # while there is a run
        self._started = time.time()
        self._written: Activity | None = None
        self._last_file = self._next_flush = clock()
        self._next_beat = self._next_busy_beat = self._next_corrections = clock()

    def begin_sorting(self) -> Sorting:
        """Return what sorts, with a run of the journal that is open. Raises StoreUnusable."""
        self._last_file = self._clock()
        self._store.check()
        if self._run is None or self._sorting is None:
            # what an earlier run of this very daemon could not finish, its journal being full, say
            recover(self._store, self._plan.folders)
            self._run = self._plan.begin_run(self._store, "watch")
            self._sorting = self._plan.sorting(self._store, self._run, mounts=self._mounts)
        return self._sorting

    def use(self, plan: FilingPlan) -> None:
        """Sort by another plan from now on, and in a run of its own."""
        self._end_run()
        self._plan = plan

    def beat(self) -> None:
        """Do what is due: give signs of life, close an idle run, notice corrections."""
        self._manager.alive()
        now = self._clock()
        if self._run is not None:
            if now >= self._next_flush:
                self._next_flush = now + _FLUSH_SECONDS
                self._run.flush()
            if now - self._last_file >= _IDLE_SECONDS:
                self._end_run()
        if now >= self._next_corrections:
            self._next_corrections = now + _CORRECTIONS_SECONDS
            notice(self._store, self._plan.inbox.destination, self._plan.labels)
        is_news = self._written != self.activity and now >= self._next_busy_beat
        if is_news or now >= self._next_beat:
            self._written = replace(self.activity)
            self._manager.status(f"{self.activity.filed} filed, {self.activity.waiting} waiting")
            write_status(self._store, self._plan.inbox.folder, self._started, self.activity)
            self._next_beat, self._next_busy_beat = now + BEAT_SECONDS, now + _BUSY_BEAT_SECONDS

    def close(self) -> None:
        self._manager.stopping()
        self._end_run()
        remove_status(self._store, self._plan.inbox.folder)

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.end()
