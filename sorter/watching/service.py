"""What a watcher needs around it: one a folder, a run of the journal, and a word to others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import CatdogError, ExitCode
from core.model.classifier import Classifier
from core.paths import display
from core.runtime.sd_notify import ServiceManager
from core.store.database import Store, from_column, to_column
from sorter.filing.mover import Conflict, Mover
from sorter.filing.pipeline import Sorting
from sorter.journal.journal import Run, filed_by_another_run
from sorter.journal.locks import Lock, daemon_lock
from sorter.moving.mounts import Mounts
from sorter.routes import Routes
from sorter.sidecars.matching import Sidecars
from sorter.undoing.corrections import notice
from sorter.undoing.recovery import recover
from sorter.watching.watcher import Doings

_IDLE_RUN = 600.0  # seconds without a file, and the run of the journal is closed
_BEAT = 60.0  # seconds between signs of life if nothing happens; a disk may sleep meanwhile
_BUSY_BEAT = 2.0  # the same while something does
_FLUSH = 0.5  # seconds: what was done is marked in the journal together
_CORRECTIONS = 300.0  # seconds between looks for photos that the person has moved
_TRIES = 5  # at the lock of a folder
_SILENT = 3 * _BEAT  # without a sign of life a daemon is alive but stuck


class FolderBusy(CatdogError):
    """Another daemon watches the folder."""

    exit_code = ExitCode.BUSY


@contextmanager
def only_daemon(store: Store, folder: Path) -> Generator[None, None, None]:
    """Be the one daemon of a folder for as long as the context lasts. Raises FolderBusy."""
    lock = daemon_lock(store.state_dir, folder)
    if not any(_acquired(lock) for _ in range(_TRIES)):
        raise FolderBusy(
            f"{display(folder)} is watched by another catdog already. `catdog status` tells "
            "how it is doing; stop it to start this one."
        )
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: Lock) -> bool:
    """Try once, or a moment later: `status` takes the lock too, to see whether it is free."""
    if lock.acquire():
        return True
    time.sleep(0.05)
    return False


class Daemon:
    """Keeps the journal's run, the status and the service manager of a watcher."""

    def __init__(
        self,
        store: Store,
        sorting: Sorting,
        folder: Path,
        *,
        labels: Mapping[str, str],
        options: Mapping[str, Any],
        conflict: Conflict = Conflict.RENAME,
        manager: ServiceManager | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sorting` is used without its mover; `labels` gives each class folder's label."""
        self.doings = Doings()  # the watcher's
        self._store = store
        self._sorting = sorting
        self._folder = folder
        self._labels = labels
        self._options = options
        self._conflict = conflict
        self._manager = manager or ServiceManager.from_environment({})
        self._clock = clock
        self._run: Run | None = None
        self._mounts = Mounts(sorting.routes.destination)
        self._last_file = clock()
        self._started = time.time()
        self._written: Doings | None = None
        self._next_flush = clock()
        self._next_beat = clock()
        self._next_busy_beat = clock()
        self._next_corrections = clock()

    @property
    def sidecars(self) -> Sidecars:
        """What goes with each photo, to be kept up to date by the watcher."""
        return self._sorting.sidecars

    def begin_sorting(self) -> Sorting:
        """Give what decides and moves, with a run of the journal that is open."""
        self._last_file = self._clock()
        self._store.check()
        if self._run is None:
            # what an earlier run of this very daemon could not finish, its journal being full, say
            recover(self._store, [self._folder, self._sorting.routes.destination])
            self._run = Run(
                self._store,
                "watch",
                self._folder,
                self._sorting.routes.destination,
                options=self._options,
                model_version=self._sorting.routes.manifest.version,
                still_seconds=self._sorting.still_seconds,
            )
            mover = Mover(
                self._run,
                self._sorting.routes.destination,
                mounts=self._mounts,
                copy=self._sorting.copy,
                on_conflict=self._conflict,
                still_seconds=self._sorting.still_seconds,
            )
            run = self._run.id
            self._sorting = replace(
                self._sorting,
                mover=mover,
                was_filed=lambda photo: filed_by_another_run(self._store, run, photo),
            )
        return self._sorting

    def use(self, classifier: Classifier, routes: Routes, labels: Mapping[str, str]) -> None:
        """Sort with another model from now on, and in a run of its own."""
        if self._run is not None:
            self._end_run()
        self._sorting = replace(self._sorting, classifier=classifier, routes=routes)
        self._labels = labels

    def beat(self) -> None:
        """Do what is due: tell that all is well, close an idle run, look for corrections."""
        self._manager.alive()
        now = self._clock()
        if self._run is not None:
            if now >= self._next_flush:
                self._next_flush = now + _FLUSH
                self._run.flush()
            if now - self._last_file >= _IDLE_RUN:
                self._end_run()
        if now >= self._next_corrections:
            self._next_corrections = now + _CORRECTIONS
            notice(self._store, self._sorting.routes.destination, self._labels)
        if now >= self._next_beat or (self._written != self.doings and now >= self._next_busy_beat):
            self._write_status()
            self._next_beat, self._next_busy_beat = now + _BEAT, now + _BUSY_BEAT

    def close(self) -> None:
        """End the run and take the status away."""
        self._manager.stopping()
        if self._run is not None:
            self._end_run()
        with self._store.writing() as db:
            db.execute("DELETE FROM daemons WHERE folder = ?", (to_column(self._folder),))

    def _end_run(self) -> None:
        assert self._run is not None
        run, self._run = self._run, None
        run.end()

    def _write_status(self) -> None:
        doings = self.doings
        self._written = replace(doings)
        self._manager.status(f"{doings.filed} filed, {doings.waiting} waiting")
        with self._store.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO daemons VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    to_column(self._folder),
                    os.getpid(),
                    self._started,
                    time.time(),
                    "polling" if doings.polling else "events",
                    doings.last_event,
                    doings.filed,
                    doings.stayed,
                    doings.failed,
                    doings.waiting,
                    doings.trouble,
                ),
            )


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """How a folder's daemon is doing. Times are seconds since 1970."""

    folder: Path
    is_alive: bool
    is_stuck: bool  # alive, and has given no sign of life for minutes
    pid: int
    started: float
    last_sign: float
    polling: bool
    last_event: float | None
    filed: int
    stayed: int
    failed: int
    waiting: int
    trouble: str | None


def statuses(store: Store, *, now: float | None = None) -> list[DaemonStatus]:
    """List the daemons that have not ended in good order. Raises StoreUnusable."""
    with store.reading() as db:
        rows = db.execute("SELECT * FROM daemons ORDER BY folder").fetchall()
    found = []
    for row in rows:
        folder = from_column(row["folder"])
        is_alive = _is_alive(store, folder)
        silent = (now or time.time()) - row["beat"]
        found.append(
            DaemonStatus(
                folder=folder,
                is_alive=is_alive,
                is_stuck=is_alive and silent > _SILENT,
                pid=row["pid"],
                started=row["started"],
                last_sign=row["beat"],
                polling=row["mode"] == "polling",
                last_event=row["last_event"],
                filed=row["filed"],
                stayed=row["stayed"],
                failed=row["failed"],
                waiting=row["waiting"],
                trouble=row["trouble"],
            )
        )
    return found


def _is_alive(store: Store, folder: Path) -> bool:
    lock = daemon_lock(store.state_dir, folder)
    if not lock.acquire():
        return True
    lock.release()
    return False
