"""On which file system each folder was: nothing is filed into a bare mount point."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from core.paths import display
from sorter.moving.filesystem import nearest_folder

_MOUNTS = Path("/proc/self/mountinfo")


def mounted() -> dict[str, str]:
    """Return where file systems are mounted, and which of their folders is, for bind mounts."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        import psutil  # here: it would slow every start

        with suppress(OSError, RuntimeError, psutil.Error):
            return {one.mountpoint: "/" for one in psutil.disk_partitions(all=True)}
        return {}
    fields = (line.split(b" ") for line in lines)
    return {_unescaped(one[4]): _unescaped(one[3]) for one in fields}


def mount_points(folder: Path) -> list[str]:
    """Return where the file systems begin on which a folder and what is in it are."""
    points = mounted()
    real = os.path.realpath(folder)
    own = _point_of(real, points)
    return [*([own] if own else []), *_points_below(real, points)]


class IsMounted:
    """Whether what was mounted once, as `mount_points` said then, still is."""

    def __init__(self, points: Iterable[str]) -> None:
        self._then = set(points)
        self._now = mounted() if self._then else {}

    def for_folder(self, folder: Path) -> bool:
        """Return whether a folder, which may have to be made, is on a disk as it was then."""
        then, now = (_point_of(folder, points) for points in (self._then, self._now))
        return then is None or (now is not None and len(now) >= len(then))


class Mounts:
    """What was mounted when a run began, and where links of its destination led."""

    def __init__(
        self, destination: Path, *, mounted: Callable[[], dict[str, str]] = mounted
    ) -> None:
        """`destination` holds the folders that are filed into, and may still have to be made."""
        self._destination = destination
        self._mounted = mounted
        self._at_first = mounted()
        self._checked: dict[Path, tuple[Path, int, int]] = {}  # folders that were well
        self._links: dict[Path, str | None] = {}  # to where they led
        self._dangling: set[Path] = set()
        with suppress(OSError), os.scandir(destination) as entries:
            for entry in entries:
                if entry.is_symlink() and entry.is_dir():
                    self._links[Path(entry.path)] = _point_of(entry.path, self._at_first)
                elif entry.is_symlink():
                    self._dangling.add(Path(entry.path))
        real = os.path.realpath(destination)
        known = {_point_of(real, self._at_first), *self._links.values()}
        known.update(_points_below(real, self._at_first))
        self._ids = {point: _id_of(point) for point in known if point is not None}

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
                self._dangling.add(one)
                return (
                    f"{display(one)} is a link to {display(one.resolve())}, which is not there. "
                    "Mount its disk, make that folder, or remove the link."
                )
        points = self._mounted()
        for link in self._dangling.intersection(inside):  # until now: what was missing has come
            self._dangling.remove(link)
            self._links[link] = point = _point_of(link, points)
            if point is not None:
                self._at_first[point], self._ids[point] = points[point], _id_of(point)
        through = next((one for one in inside if one in self._links), None)
        at_first = self._at_first
        first = _point_of(folder, at_first) if through is None else self._links[through]
        if not self._is_as_at_first(first, _point_of(folder, points), points):
            shown = display(Path(first)) if first else "where it was"
            return (
                f"the disk of {display(folder)} is not the one any more that it was. Mount it "
                f"again at {shown}, or start catdog again."
            )
        self._checked[folder] = now
        return None

    def _is_as_at_first(self, first: str | None, now: str | None, points: dict[str, str]) -> bool:
        """Return whether the same of the same file system is mounted at the same point."""
        if first != now:
            return False
        if now is None or first not in self._ids:
            return True
        return (points[now], _id_of(now)) == (self._at_first[now], self._ids[now])


def _point_of(folder: Path | str, points: Collection[str]) -> str | None:
    """Return where the file system begins that a folder is on; None if that is not known."""
    real = Path(os.path.realpath(folder))
    return next((str(one) for one in (real, *real.parents) if str(one) in points), None)


def _points_below(real: str, points: Iterable[str]) -> list[str]:
    return [point for point in points if point.startswith(real.rstrip(os.sep) + os.sep)]


def _id_of(point: str) -> int:
    """Return what tells the file system at a mount point from others; 0 if nothing does."""
    try:
        return os.statvfs(point).f_fsid
    except (OSError, AttributeError):  # Windows has no statvfs
        return 0


def _unescaped(field: bytes) -> str:
    """Return a field of mountinfo, where blanks and the like are `\\040`; see proc(5)."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), field))
