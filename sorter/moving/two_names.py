"""Whether two paths are two names, or by bind mounts or a union of disks one and the same."""

from __future__ import annotations

import os
from pathlib import Path

from sorter.moving.rename import rename_no_replace


def are_two_names(kept: Path, ours: Path, aside: Path) -> bool:
    """Return whether it is proved that a file stays at `kept` whatever becomes of `ours`.

    Device and inode do not tell: a union of disks such as mergerfs gives other numbers than the
    disk below, and a bind mount the same. So `ours` is called `aside` for a moment, in the same
    folder; a crash then is mended by `bring_back`. Raises OSError.
    """
    rename_no_replace(ours, aside)
    try:
        with kept.open("rb"):
            return True
    except FileNotFoundError:
        return False
    finally:
        rename_no_replace(aside, ours)


def bring_back(aside: Path, ours: Path) -> None:
    """Give a file its name again that a crash has left aside. Raises OSError."""
    if os.path.lexists(aside):
        rename_no_replace(aside, ours)
