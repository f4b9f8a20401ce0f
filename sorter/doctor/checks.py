"""What could go wrong with a folder here: each check tells, and nothing is written."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.findings import Finding, Severity
from core.paths import display
from sorter.doctor.inotify import inotify_use
from sorter.doctor.survey import Photo, Survey, survey
from sorter.moving.filesystem import FileSystem, ignores_case, nearest_folder
from sorter.scanning.raw_photos import raw_words

_FAT = frozenset({"vfat", "msdos", "fat", "fat12", "fat16", "fat32", "exfat"})
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)  # a clock that shows less is wrong
_FUTURE = 60.0  # seconds that a photo's time may be ahead of the clock
_ROOM = 100 * 10**6  # bytes for the journal


def examine(
    folder: Path,
    destination: Path,
    state_dir: Path,
    *,
    recursive: bool = False,
    now: Callable[[], float] = time.time,
) -> list[Finding]:
    """Give what each check found, in a fixed order.

    A folder that cannot be listed is the only finding; one about what the system does not have,
    such as inotify's limits, is left out.
    """
    try:
        seen = survey(folder, destination, state_dir, recursive=recursive, now=now())
    except OSError as error:
        return [
            _error(
                "folder",
                f"{display(folder)} cannot be listed ({error.strerror or error}). Name a folder "
                "that is there, mount its disk, or change its permissions.",
            )
        ]
    found = [check(seen) for check in _CHECKS]
    return [finding for finding in found if finding is not None]


def _folder(seen: Survey) -> Finding:
    return _ok("folder", f"{display(seen.folder)} holds {_count(len(seen.photos), 'photo')}")


def _raws(seen: Survey) -> Finding | None:
    if not seen.raws_alone:
        return None
    return _warning("raw photos", f"{seen.raws_alone} {raw_words(seen.raws_alone)}")


def _file_system(seen: Survey) -> Finding:
    check, kind = "file system", _kind(seen.folder_on)
    if not seen.folder_on.tells_changes:
        return _warning(
            check,
            f"{kind} does not tell of changes made elsewhere: `catdog watch` polls, which it "
            "chooses by itself. Files are noticed sooner in a folder on a local disk.",
        )
    if _is_fat(seen.folder_on):
        return _warning(
            check,
            f"{kind} keeps times to 2 seconds only: a file that is still being written may look "
            "finished. Set --settle of `catdog watch` to 3 or more.",
        )
    return _ok(check, f"{kind}, which tells of changes")


def _destination(seen: Survey) -> Finding:
    check, shown = "destination", display(seen.destination)
    if os.path.lexists(seen.destination) and not os.path.isdir(seen.destination):
        return _error(check, f"{shown} is not a folder. Choose another place with --into.")
    if seen.needs_copies:
        return _warning(
            check,
            f"{shown} ({_kind(seen.destination_on)}) is on another file system: photos are "
            "copied, compared, and only then removed. That is slow and needs space; --into a "
            "place on the folder's own file system is a mere rename.",
        )
    return _ok(check, f"{shown} is on the same file system: photos are moved by a rename")


def _renaming(seen: Survey) -> Finding:
    """Whether a name can be taken without taking it from another file, by the kind alone."""
    check, kind = "renaming", _kind(seen.destination_on)
    if sys.platform == "win32":
        return _ok(check, "Windows never renames over another file")
    if _is_fat(seen.destination_on):
        lacks = "has no hard links"
    elif not seen.destination_on.tells_changes or not seen.destination_on.kind:
        lacks = "may have no hard links"
    else:
        return _ok(check, f"{kind} can take a name without taking it from another file")
    return _warning(
        check,
        f"{kind} {lacks}, and perhaps no rename that spares other files: then a name is claimed "
        "by an empty file first, which a crash at that moment leaves behind. No photo is lost by "
        "it; delete the empty file.",
    )


def _case(seen: Survey) -> Finding:
    check, shown = "case of names", display(seen.destination)
    ignored = ignores_case(seen.destination)
    if ignored is None:
        return _ok(check, f"whether it matters in {shown} cannot be seen without writing")
    if not ignored:
        return _ok(check, f"it matters in {shown}")
    pair = None if ignores_case(seen.folder) else _differ_in_case(seen.photos)
    if pair is None:
        return _ok(check, f"it does not matter in {shown}; no photos here differ in it alone")
    return _warning(
        check,
        f"it does not matter in {shown}, but is all that tells {pair[0]} from {pair[1]}: the "
        "second gets a number. Rename it first if you want another name.",
    )


def _permissions(seen: Survey) -> Finding:
    check = "permissions"
    for folder, needed, to in (
        (seen.folder, os.R_OK | os.W_OK | os.X_OK, "take photos out of"),
        (seen.destination, os.W_OK | os.X_OK, "file photos in"),
        (seen.state_dir, os.W_OK | os.X_OK, "keep the journal in"),
    ):
        there = nearest_folder(folder)
        if not os.access(there, needed):
            return _error(check, f"you may not {to} {display(there)}. Change its permissions.")
    closed = [photo.path for photo in seen.photos if not os.access(photo.path, os.R_OK)]
    if closed:
        return _warning(
            check,
            f"you may not read {_count(len(closed), 'photo')}, such as {display(closed[0])}: "
            "they stay, and count as failed. Change their permissions.",
        )
    return _ok(check, "photos may be read and moved, and the journal written")


def _events(seen: Survey) -> Finding | None:
    use = inotify_use() if sys.platform == "linux" and seen.folder_on.tells_changes else None
    if use is None:
        return None
    check, folders = "folder events", _count(seen.folders, "folder")
    for limit, allowed, needed in (
        ("fs.inotify.max_user_instances", use.max_instances, use.instances + 1),
        ("fs.inotify.max_user_watches", use.max_watches, use.watches + seen.folders),
    ):
        if needed > allowed:
            return _warning(
                check,
                f"{limit} is {allowed}; to watch {folders} beside what other programs watch takes "
                f"{needed}: `catdog watch` will poll. Raise it: `sudo sysctl {limit}={2 * needed}`,"
                " and to keep it write the same into /etc/sysctl.d/90-inotify.conf.",
            )
    return _ok(check, f"{folders} to watch, of {use.max_watches - use.watches} that may be")


def _space(seen: Survey) -> Finding:
    check = "space"
    free = shutil.disk_usage(nearest_folder(seen.destination)).free
    needed = sum(photo.size for photo in seen.photos) if seen.needs_copies else 0
    if needed > free:
        return _error(
            check,
            f"the photos take {_megabytes(needed)}, and {display(seen.destination)} has "
            f"{_megabytes(free)} free. Make room, or choose another place with --into.",
        )
    room = shutil.disk_usage(nearest_folder(seen.state_dir)).free
    if room < _ROOM:
        return _warning(
            check,
            f"{display(seen.state_dir)} has {_megabytes(room)} free for the journal, without "
            "which nothing is moved. Make room, or set CATDOG_STATE_DIR to another disk.",
        )
    return _ok(check, f"{_megabytes(free)} free for photos, {_megabytes(room)} for the journal")


def _clock(seen: Survey) -> Finding:
    check = "clock"
    if seen.now < _WRITTEN.timestamp():
        return _error(
            check,
            f"it shows {_date(seen.now)}, which is past: the times in the journal would be wrong. "
            "Set it.",
        )
    ahead = [photo for photo in seen.photos if photo.mtime > seen.now + _FUTURE]
    if ahead:
        return _warning(
            check,
            f"{_count(len(ahead), 'photo')} changed in the future, such as "
            f"{display(ahead[0].path)} ({_date(ahead[0].mtime)}): --by-date may file them there. "
            "Set the clock here or theirs, with `touch`.",
        )
    return _ok(check, f"it shows {_date(seen.now)}, and no photo is ahead of it")


def _journal(seen: Survey) -> Finding:
    check, shown, kind = "journal", display(seen.state_dir), _kind(seen.state_on)
    if not seen.state_on.tells_changes:
        return _warning(
            check,
            f"{shown} is on {kind}: SQLite's write-ahead log does not work over a network, and "
            "undo lives by it. Set CATDOG_STATE_DIR to a folder on a local disk.",
        )
    return _ok(check, f"{shown} is on a local disk ({kind})")


_CHECKS: tuple[Callable[[Survey], Finding | None], ...] = (
    _folder, _raws, _file_system, _destination, _renaming, _case, _permissions, _events, _space,
    _clock, _journal,
)  # fmt: skip


def _ok(check: str, message: str) -> Finding:
    return Finding(check, Severity.OK, message)


def _warning(check: str, message: str) -> Finding:
    return Finding(check, Severity.WARNING, message)


def _error(check: str, message: str) -> Finding:
    return Finding(check, Severity.ERROR, message)


def _differ_in_case(photos: tuple[Photo, ...]) -> tuple[str, str] | None:
    """Find two photos whose names are the same but for case."""
    seen: dict[str, Path] = {}
    for photo in photos:
        first = seen.setdefault(photo.path.name.casefold(), photo.path)
        if first.name != photo.path.name:
            return display(first), display(photo.path)
    return None


def _is_fat(file_system: FileSystem) -> bool:
    return file_system.kind.lower() in _FAT


def _kind(file_system: FileSystem) -> str:
    return file_system.kind or "an unknown file system"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _megabytes(size: int) -> str:
    return f"{size / 10**6:.0f} MB"


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds).isoformat(" ", "minutes")
    except (OSError, OverflowError, ValueError):
        return "a time no calendar has"
