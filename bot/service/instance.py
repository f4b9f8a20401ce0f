"""One bot at a time works with a state folder: two would answer the same waiting photos."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import CatdogError, ExitCode
from core.paths import display
from core.store.database import StoreUnusable


class AnotherBot(CatdogError):
    """Another bot is at work with the same state folder."""

    exit_code = ExitCode.BUSY


@contextmanager
def only_bot(state_dir: Path) -> Iterator[None]:
    """Hold the state folder while the context lasts, or until the process dies.

    Raises AnotherBot, and StoreUnusable if the lock cannot be made.
    """
    from filelock import FileLock, Timeout

    folder = state_dir / "locks"
    lock = FileLock(folder / "bot.lock", blocking=False, thread_local=False)
    holder = folder / "bot.holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        who = ""
        with suppress(OSError, ValueError):
            pid, host = holder.read_text(encoding="utf-8").split()
            who = f" (process {pid} on {host})"
        raise AnotherBot(
            f"Another bot{who} is at work with {display(state_dir)}. Stop it first, "
            "or give this one a state folder of its own with CATDOG_STATE_DIR."
        ) from None
    except OSError as error:
        raise StoreUnusable(
            f"The lock {display(folder / 'bot.lock')} cannot be taken ({error.strerror or error}). "
            "Give this user the state folder, or name another with CATDOG_STATE_DIR."
        ) from error
    try:
        with suppress(OSError):  # the lock is what counts
            holder.write_text(f"{os.getpid()} {socket.gethostname()}\n", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()
