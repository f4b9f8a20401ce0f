"""On which file system each folder was: nothing is filed into a bare mount point."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.paths import display
from sorter.moving.filesystem import nearest_folder

_MOUNTS = Path("/proc/self/mountinfo")


def mounted() -> frozenset[str]:
    """Return where file systems are mounted, bind mounts of folders included."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        import psutil  # here: it would slow every start

        with suppress(OSError, RuntimeError, psutil.Error):
            return frozenset(one.mountpoint for one in psutil.disk_partitions(all=True))
        return frozenset()
    return frozenset(os.fsdecode(_unescaped(line.split(b" ")[4])) for line in lines)


class Mounts:
    """What was mounted when a run began, and where links of its destination led."""

    def __init__(
        self, destination: Path, *, mounted: Callable[[], frozenset[str]] = mounted
    ) -> None:
        """`destination` holds the folders that are filed into, and may still have to be made."""
        self._destination = destination
        self._mounted = mounted
        self._at_first = mounted()
        self._checked: dict[Path, tuple[Path, int, int]] = {}  # folders that were well
        self._links: dict[Path, str | None] = {}  # to where they led
        with suppress(OSError), os.scandir(destination) as entries:
            for entry in entries:
                if entry.is_symlink() and entry.is_dir():
                    self._links[Path(entry.path)] = _mount_of(entry.path, self._at_first)

    def trouble(self, folder: Path) -> str | None:
        """Return what is in the way of filing into a folder below the destination, if so.

        The folder may still have to be made. Raises OSError.
        """
        there = nearest_folder(folder)
        status = there.stat()
        now = (there, status.st_dev, status.st_ino)
        if self._checked.get(folder) == now:
            return None
        inside = [*reversed(folder.parents), folder]
        for one in inside:
            if os.path.islink(one) and not os.path.isdir(one):
                return (
                    f"{display(one)} is a link to {display(one.resolve())}, which is not there. "
                    "Mount its disk, make that folder, or remove the link."
                )
        link = next((one for one in inside if one in self._links), None)
        first = self._links[link] if link is not None else _mount_of(folder, self._at_first)
        if _mount_of(folder, self._mounted()) != first:
            shown = display(Path(first)) if first else "where it was"
            return (
                f"the disk of {display(folder)} is not the one any more that it was. Mount it "
                f"again at {shown}, or start catdog again."
            )
        self._checked[folder] = now
        return None


def _mount_of(folder: Path | str, mount_points: frozenset[str]) -> str | None:
    """Return where the file system begins that a folder is on; None if that is not known."""
    real = Path(os.path.realpath(folder))
    return next((str(one) for one in (real, *real.parents) if str(one) in mount_points), None)


def _unescaped(field: bytes) -> bytes:
    """Return a field of mountinfo, where blanks and the like are `\\040`; see proc(5)."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field)
