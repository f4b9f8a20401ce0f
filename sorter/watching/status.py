"""What daemons do, as they write it down for `catdog status`."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path

from core.store.database import Store, from_column, to_column
from sorter.journal.locks import daemon_lock

log = logging.getLogger(__name__)

BEAT_SECONDS = 60.0  # between signs of life if nothing happens; a disk may sleep meanwhile
_STUCK_SECONDS = 3 * BEAT_SECONDS  # without a sign of life a daemon is alive but stuck


@dataclass(slots=True)
class Activity:
    """What a daemon has done since it started, and how it is doing."""

    polling: bool = False
    last_event: float | None = None  # seconds since 1970
    filed: int = 0
    left: int = 0
    failed: int = 0
    waiting: int = 0
    trouble: str | None = None  # what keeps the folder from being sorted

    def set_trouble(self, trouble: str | None) -> None:
        """Note what keeps the folder from being sorted, and log it once."""
        if trouble is not None and trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """How a folder's daemon is doing. Times are seconds since 1970; stands in `--json` output."""

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


def write_status(store: Store, folder: Path, started: float, activity: Activity) -> None:
    """Write down how the daemon of a folder is doing. Raises StoreUnusable."""
    with store.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO daemons VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                to_column(folder),
                os.getpid(),
                started,
                time.time(),
                "polling" if activity.polling else "events",
                activity.last_event,
                activity.filed,
                activity.left,
                activity.failed,
                activity.waiting,
                activity.trouble,
            ),
        )


def remove_status(store: Store, folder: Path) -> None:
    """Forget the daemon of a folder, which has ended in good order. Raises StoreUnusable."""
    with store.writing() as db:
        db.execute("DELETE FROM daemons WHERE folder = ?", (to_column(folder),))


def statuses(store: Store, *, now: float | None = None) -> list[DaemonStatus]:
    """Return the daemons that have not ended in good order. Raises StoreUnusable."""
    with store.reading() as db:
        rows = [dict(row) for row in db.execute("SELECT * FROM daemons ORDER BY folder")]
    found = []
    for row in rows:
        folder, last_sign = from_column(row.pop("folder")), row.pop("beat")
        lock = daemon_lock(store.state_dir, folder)
        is_alive = not lock.acquire()
        if not is_alive:
            lock.release()
        is_silent = (now or time.time()) - last_sign > _STUCK_SECONDS
        found.append(
            DaemonStatus(
                folder=folder,
                is_alive=is_alive,
                is_stuck=is_alive and is_silent,
                last_sign=last_sign,
                polling=row.pop("mode") == "polling",
                **row,
            )
        )
    return found
