"""How much of inotify, Linux's folder events, is left to this user."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class InotifyUse:
    """What Linux allows one user, and what this user's processes have taken of it."""

    max_watches: int  # folders that can be watched
    max_instances: int  # programs that can watch, roughly
    watches: int
    instances: int


def inotify_use(proc: Path = Path("/proc")) -> InotifyUse | None:
    """Read the limits and count what is taken; None where the system has no inotify."""
    limits = proc / "sys" / "fs" / "inotify"
    try:
        max_watches = int((limits / "max_user_watches").read_text())
        max_instances = int((limits / "max_user_instances").read_text())
    except (OSError, ValueError):
        return None
    taken = list(_taken(proc))
    return InotifyUse(max_watches, max_instances, sum(taken), len(taken))


def _taken(proc: Path) -> Iterator[int]:
    """Give for each inotify instance of this user the number of its watches."""
    with suppress(OSError):
        for process in proc.iterdir():
            if process.name.isdecimal():
                yield from _taken_by(process)


def _taken_by(process: Path) -> Iterator[int]:
    with suppress(OSError):  # it has ended, or may not be looked at
        if sys.platform == "win32" or process.stat().st_uid != os.getuid():
            return
        for handle in (process / "fd").iterdir():
            with suppress(OSError):
                if os.readlink(handle) != "anon_inode:inotify":  # noqa: PTH115, it is no path
                    continue
                lines = (process / "fdinfo" / handle.name).read_text().splitlines()
                yield sum(line.startswith("inotify ") for line in lines)
