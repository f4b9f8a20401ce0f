"""Checks for what could go wrong with a folder here; nothing is written."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.findings import Finding, Severity
from core.paths import display
from sorter.doctor.survey import Photo, Survey
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


_Found = tuple[Severity, str]


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
        survey = Survey(folder, destination, state_dir, recursive=recursive, now=now())
    except OSError as error:
        message = (
            f"{display(folder)} cannot be listed ({error.strerror or error}). Name a folder that "
            "is there, mount its disk, or change its permissions."
        )
        return [Finding("folder", Severity.ERROR, message)]
    found = {name: check(survey) for name, check in _CHECKS.items()}
    return [Finding(name, *one) for name, one in found.items() if one is not None]


def _differ_in_case(photos: Sequence[Photo]) -> tuple[str, str] | None:
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


def _folder(survey: Survey) -> _Found:
    return Severity.OK, f"{display(survey.folder)} holds {_count(len(survey.photos), 'photo')}"


def _file_system(survey: Survey) -> _Found:
    kind = _kind(survey.folder_on)
    if not survey.folder_on.reports_changes:
        return Severity.WARNING, (
            f"{kind} does not tell of changes made elsewhere: `catdog watch` polls, which it "
            "chooses by itself. Files are noticed sooner in a folder on a local disk."
        )
    if _is_fat(survey.folder_on):
        return Severity.WARNING, (
            f"{kind} keeps times to 2 seconds only: a file that is still being written may look "
            "finished. Set --settle of `catdog watch` to 3 or more."
        )
    return Severity.OK, f"{kind}, which tells of changes"


def _destination(survey: Survey) -> _Found:
    shown = display(survey.destination)
    if os.path.lexists(survey.destination) and not os.path.isdir(survey.destination):
        return Severity.ERROR, f"{shown} is not a folder. Choose another place with --into."
    if survey.needs_copies:
        return Severity.WARNING, (
            f"{shown} ({_kind(survey.destination_on)}) is on another file system: photos are "
            "copied, compared, and only then removed. That is slow and needs space; --into a "
            "place on the folder's own file system is a mere rename."
        )
    return Severity.OK, f"{shown} is on the same file system: photos are moved by a rename"


def _renaming(survey: Survey) -> _Found:
    """Whether a name can be taken without taking it from another file, by the kind alone."""
    kind = _kind(survey.destination_on)
    if sys.platform == "win32":
        return Severity.OK, "Windows never renames over another file"
    if _is_fat(survey.destination_on):
        lacks = "has no hard links"
    elif not survey.destination_on.reports_changes or not survey.destination_on.kind:
        lacks = "may have no hard links"
    else:
        return Severity.OK, f"{kind} can take a name without taking it from another file"
    return Severity.WARNING, (
        f"{kind} {lacks}, and perhaps no rename that spares other files: then a name is claimed "
        "by an empty file first, which a crash at that moment leaves behind. No photo is lost by "
        "it; delete the empty file."
    )


def _case(survey: Survey) -> _Found:
    shown = display(survey.destination)
    ignored = ignores_case(survey.destination)
    if ignored is None:
        return Severity.OK, f"whether it matters in {shown} cannot be seen without writing"
    if not ignored:
        return Severity.OK, f"it matters in {shown}"
    pair = None if ignores_case(survey.folder) else _differ_in_case(survey.photos)
    if pair is None:
        return Severity.OK, f"it does not matter in {shown}; no photos here differ in it alone"
    return Severity.WARNING, (
        f"it does not matter in {shown}, but is all that tells {pair[0]} from {pair[1]}: the "
        "second gets a number. Rename it first if you want another name."
    )


def _permissions(survey: Survey) -> _Found:
    for folder, needed, to in (
        (survey.folder, os.R_OK | os.W_OK | os.X_OK, "take photos out of"),
        (survey.destination, os.W_OK | os.X_OK, "file photos in"),
        (survey.state_dir, os.W_OK | os.X_OK, "keep the journal in"),
    ):
        there = nearest_folder(folder)
        if not os.access(there, needed):
            return Severity.ERROR, f"you may not {to} {display(there)}. Change its permissions."
    closed = [photo.path for photo in survey.photos if not os.access(photo.path, os.R_OK)]
    if closed:
        return Severity.WARNING, (
            f"you may not read {_count(len(closed), 'photo')}, such as {display(closed[0])}: "
            "they stay, and count as failed. Change their permissions."
        )
    return Severity.OK, "photos may be read and moved, and the journal written"


def _events(survey: Survey) -> _Found | None:
    """Whether the folder can be watched beside what other programs watch, by trying."""
    shown = display(survey.folder)
    if sys.platform != "linux" or not survey.folder_on.reports_changes:
        return None
    events = FolderEvents(survey.folder, recursive=survey.recursive)
    try:
        events.listen()
    except OSError as error:
        limit = _INOTIFY_LIMITS.get(error.errno or 0)
        if limit is None:
            reason = error.strerror or error
            return Severity.WARNING, f"{shown} has none ({reason}): `catdog watch` will poll."
        allowed = int(Path("/proc/sys", *limit.split(".")).read_text())
        return Severity.WARNING, (
            f"{limit} is {allowed}, too little to watch {shown} beside what other programs watch: "
            f"`catdog watch` will poll. Raise it: `sudo sysctl {limit}={2 * allowed}`, and to keep "
            "it write the same into /etc/sysctl.d/90-inotify.conf."
        )
    finally:
        events.stop()
    return Severity.OK, f"{shown} can be watched"


def _space(survey: Survey) -> _Found:
    free = shutil.disk_usage(nearest_folder(survey.destination)).free
    needed = sum(photo.size for photo in survey.photos) if survey.needs_copies else 0
    if needed > free:
        return Severity.ERROR, (
            f"the photos take {_megabytes(needed)}, and {display(survey.destination)} has "
            f"{_megabytes(free)} free. Make room, or choose another place with --into."
        )
    room = shutil.disk_usage(nearest_folder(survey.state_dir)).free
    if room < _ROOM_BYTES:
        return Severity.WARNING, (
            f"{display(survey.state_dir)} has {_megabytes(room)} free for the journal, without "
            "which nothing is moved. Make room, or set CATDOG_STATE_DIR to another disk."
        )
    return Severity.OK, f"{_megabytes(free)} free for photos, {_megabytes(room)} for the journal"


def _clock(survey: Survey) -> _Found:
    if survey.now < _WRITTEN.timestamp():
        return Severity.ERROR, (
            f"it shows {_date(survey.now)}, which is past: the times in the journal would be "
            "wrong. Set it."
        )
    ahead = [photo for photo in survey.photos if photo.mtime > survey.now + _FUTURE_SECONDS]
    if ahead:
        return Severity.WARNING, (
            f"{_count(len(ahead), 'photo')} changed in the future, such as "
            f"{display(ahead[0].path)} ({_date(ahead[0].mtime)}): --by-date may file them there. "
            "Set the clock here or theirs, with `touch`."
        )
    return Severity.OK, f"it shows {_date(survey.now)}, and no photo is ahead of it"


def _journal(survey: Survey) -> _Found:
    shown, kind = display(survey.state_dir), _kind(survey.state_on)
    if not survey.state_on.reports_changes:
        return Severity.WARNING, (
            f"{shown} is on {kind}: SQLite's write-ahead log does not work over a network, and "
            "undo lives by it. Set CATDOG_STATE_DIR to a folder on a local disk."
        )
    return Severity.OK, f"{shown} is on a local disk ({kind})"


_CHECKS: dict[str, Callable[[Survey], _Found | None]] = {
    "folder": _folder,
    "file system": _file_system,
    "destination": _destination,
    "renaming": _renaming,
    "case of names": _case,
    "permissions": _permissions,
    "folder events": _events,
    "space": _space,
    "clock": _clock,
    "journal": _journal,
}
