"""Checks for what could go wrong with a folder here; nothing is written."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.findings import Finding, Severity
from core.paths import display
from sorter.doctor.survey import Photo, Survey, take_survey
from sorter.moving.filesystem import FileSystem, ignores_case, nearest_folder
from sorter.watching.events import FolderEvents

_FAT = frozenset({"vfat", "msdos", "fat", "fat12", "fat16", "fat32", "exfat"})
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)  # a clock that shows less is wrong
_FUTURE_SECONDS = 60.0  # that a photo's time may be ahead of the clock
_ROOM_BYTES = 100 * 10**6  # for the journal
_INOTIFY_LIMITS = {
    errno.EMFILE: "fs.inotify.max_user_instances",
    errno.ENOSPC: "fs.inotify.max_user_watches",
}


def examine(
    folder: Path,
    destination: Path,
    state_dir: Path,
    *,
    recursive: bool = False,
    now: Callable[[], float] = time.time,
) -> list[Finding]:
    """Return what each check found, in a fixed order.

    A folder that cannot be listed is the only finding; checks that the system has no need of
    find nothing.
    """
    try:
        survey = take_survey(folder, destination, state_dir, recursive=recursive, now=now())
    except OSError as error:
        return [
            _error(
                "folder",
                f"{display(folder)} cannot be listed ({error.strerror or error}). Name a folder "
                "that is there, mount its disk, or change its permissions.",
            )
        ]
    found = [check(survey) for check in _CHECKS]
    return [finding for finding in found if finding is not None]


def _folder(survey: Survey) -> Finding:
    return _ok("folder", f"{display(survey.folder)} holds {_count(len(survey.photos), 'photo')}")


def _file_system(survey: Survey) -> Finding:
    check, kind = "file system", _kind(survey.folder_on)
    if not survey.folder_on.tells_changes:
        return _warning(
            check,
            f"{kind} does not tell of changes made elsewhere: `catdog watch` polls, which it "
            "chooses by itself. Files are noticed sooner in a folder on a local disk.",
        )
    if _is_fat(survey.folder_on):
        return _warning(
            check,
            f"{kind} keeps times to 2 seconds only: a file that is still being written may look "
            "finished. Set --settle of `catdog watch` to 3 or more.",
        )
    return _ok(check, f"{kind}, which tells of changes")


def _destination(survey: Survey) -> Finding:
    check, shown = "destination", display(survey.destination)
    if os.path.lexists(survey.destination) and not os.path.isdir(survey.destination):
        return _error(check, f"{shown} is not a folder. Choose another place with --into.")
    if survey.needs_copies:
        return _warning(
            check,
            f"{shown} ({_kind(survey.destination_on)}) is on another file system: photos are "
            "copied, compared, and only then removed. That is slow and needs space; --into a "
            "place on the folder's own file system is a mere rename.",
        )
    return _ok(check, f"{shown} is on the same file system: photos are moved by a rename")


def _renaming(survey: Survey) -> Finding:
    """Whether a name can be taken without taking it from another file, by the kind alone."""
    check, kind = "renaming", _kind(survey.destination_on)
    if sys.platform == "win32":
        return _ok(check, "Windows never renames over another file")
    if _is_fat(survey.destination_on):
        lacks = "has no hard links"
    elif not survey.destination_on.tells_changes or not survey.destination_on.kind:
        lacks = "may have no hard links"
    else:
        return _ok(check, f"{kind} can take a name without taking it from another file")
    return _warning(
        check,
        f"{kind} {lacks}, and perhaps no rename that spares other files: then a name is claimed "
        "by an empty file first, which a crash at that moment leaves behind. No photo is lost by "
        "it; delete the empty file.",
    )


def _case(survey: Survey) -> Finding:
    check, shown = "case of names", display(survey.destination)
    ignored = ignores_case(survey.destination)
    if ignored is None:
        return _ok(check, f"whether it matters in {shown} cannot be seen without writing")
    if not ignored:
        return _ok(check, f"it matters in {shown}")
    pair = None if ignores_case(survey.folder) else _differ_in_case(survey.photos)
    if pair is None:
        return _ok(check, f"it does not matter in {shown}; no photos here differ in it alone")
    return _warning(
        check,
        f"it does not matter in {shown}, but is all that tells {pair[0]} from {pair[1]}: the "
        "second gets a number. Rename it first if you want another name.",
    )


def _permissions(survey: Survey) -> Finding:
    check = "permissions"
    for folder, needed, to in (
        (survey.folder, os.R_OK | os.W_OK | os.X_OK, "take photos out of"),
        (survey.destination, os.W_OK | os.X_OK, "file photos in"),
        (survey.state_dir, os.W_OK | os.X_OK, "keep the journal in"),
    ):
        there = nearest_folder(folder)
        if not os.access(there, needed):
            return _error(check, f"you may not {to} {display(there)}. Change its permissions.")
    closed = [photo.path for photo in survey.photos if not os.access(photo.path, os.R_OK)]
    if closed:
        return _warning(
            check,
            f"you may not read {_count(len(closed), 'photo')}, such as {display(closed[0])}: "
            "they stay, and count as failed. Change their permissions.",
        )
    return _ok(check, "photos may be read and moved, and the journal written")


def _events(survey: Survey) -> Finding | None:
    """Whether the folder can be watched beside what other programs watch, by trying."""
    check, shown = "folder events", display(survey.folder)
    if sys.platform != "linux" or not survey.folder_on.tells_changes:
        return None
    events = FolderEvents(survey.folder, recursive=survey.recursive)
    try:
        events.listen()
    except OSError as error:
        limit = _INOTIFY_LIMITS.get(error.errno or 0)
        if limit is None:
            reason = error.strerror or error
            return _warning(check, f"{shown} has none ({reason}): `catdog watch` will poll.")
        allowed = int(Path("/proc/sys", *limit.split(".")).read_text())
        return _warning(
            check,
            f"{limit} is {allowed}, too little to watch {shown} beside what other programs watch: "
            f"`catdog watch` will poll. Raise it: `sudo sysctl {limit}={2 * allowed}`, and to keep "
            "it write the same into /etc/sysctl.d/90-inotify.conf.",
        )
    finally:
        events.stop()
    return _ok(check, f"{shown} can be watched")


def _space(survey: Survey) -> Finding:
    check = "space"
    free = shutil.disk_usage(nearest_folder(survey.destination)).free
    needed = sum(photo.size for photo in survey.photos) if survey.needs_copies else 0
    if needed > free:
        return _error(
            check,
            f"the photos take {_megabytes(needed)}, and {display(survey.destination)} has "
            f"{_megabytes(free)} free. Make room, or choose another place with --into.",
        )
    room = shutil.disk_usage(nearest_folder(survey.state_dir)).free
    if room < _ROOM_BYTES:
        return _warning(
            check,
            f"{display(survey.state_dir)} has {_megabytes(room)} free for the journal, without "
            "which nothing is moved. Make room, or set CATDOG_STATE_DIR to another disk.",
        )
    return _ok(check, f"{_megabytes(free)} free for photos, {_megabytes(room)} for the journal")


def _clock(survey: Survey) -> Finding:
    check = "clock"
    if survey.now < _WRITTEN.timestamp():
        return _error(
            check,
            f"it shows {_date(survey.now)}, which is past: the times in the journal would be "
            "wrong. Set it.",
        )
    ahead = [photo for photo in survey.photos if photo.mtime > survey.now + _FUTURE_SECONDS]
    if ahead:
        return _warning(
            check,
            f"{_count(len(ahead), 'photo')} changed in the future, such as "
            f"{display(ahead[0].path)} ({_date(ahead[0].mtime)}): --by-date may file them there. "
            "Set the clock here or theirs, with `touch`.",
        )
    return _ok(check, f"it shows {_date(survey.now)}, and no photo is ahead of it")


def _journal(survey: Survey) -> Finding:
    check, shown, kind = "journal", display(survey.state_dir), _kind(survey.state_on)
    if not survey.state_on.tells_changes:
        return _warning(
            check,
            f"{shown} is on {kind}: SQLite's write-ahead log does not work over a network, and "
            "undo lives by it. Set CATDOG_STATE_DIR to a folder on a local disk.",
        )
    return _ok(check, f"{shown} is on a local disk ({kind})")


_CHECKS: tuple[Callable[[Survey], Finding | None], ...] = (
    _folder, _file_system, _destination, _renaming, _case, _permissions, _events, _space,
    _clock, _journal,
)  # fmt: skip


def _ok(check: str, message: str) -> Finding:
    return Finding(check, Severity.OK, message)


def _warning(check: str, message: str) -> Finding:
    return Finding(check, Severity.WARNING, message)


def _error(check: str, message: str) -> Finding:
    return Finding(check, Severity.ERROR, message)


def _differ_in_case(photos: tuple[Photo, ...]) -> tuple[str, str] | None:
    """Return two photos whose names are the same but for case."""
    firsts: dict[str, Path] = {}
    for photo in photos:
        first = firsts.setdefault(photo.path.name.casefold(), photo.path)
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
