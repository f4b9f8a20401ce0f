"""Locks of the operating system, in the state folder: they end with the process that held them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from core.paths import display
from core.store.database import StoreUnusable, to_column


class Lock:
    """One lock file. Never waits: it is got at once or not at all. Raises StoreUnusable."""

    def __init__(self, path: Path) -> None:
        from filelock import FileLock  # here: it would slow every start

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        self._path = path
        self._lock = FileLock(path, blocking=False, thread_local=False)

    def acquire(self) -> bool:
        """Take the lock; return False if another process, or another Lock of this one, has it."""
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise _unusable(self._path, error) from error
        return True

    def release(self) -> None:
        self._lock.release()

    def retire(self) -> None:
        """Release it for good, and take its file away."""
        with suppress(OSError):  # Windows removes no open file: then after the release
            self._path.unlink()
        self._lock.release()
        with suppress(OSError):
            self._path.unlink()


def _unusable(path: Path, error: OSError) -> StoreUnusable:
    return StoreUnusable(
        f"The lock {display(path)} cannot be taken ({error.strerror or error}). Nothing is moved "
        "without it: give this user the state folder, or name another with --state-dir."
    )


def run_lock(state_dir: Path, token: str) -> Lock:
    """Return the lock that a run holds for as long as its process lives."""
    return Lock(state_dir / "locks" / f"run-{token}.lock")


def daemon_lock(state_dir: Path, folder: Path) -> Lock:
    """Return the lock that the one daemon of a folder holds; `folder` is resolved."""
    name = hashlib.sha256(to_column(folder)).hexdigest()[:32]
    return Lock(state_dir / "locks" / f"watch-{name}.lock")
