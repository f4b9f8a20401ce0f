"""Sources of a photo's date: its camera, notes about it, its name, or the file's time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from core.images.exif import stated_times
from sorter.dates.parse import date_in_name, is_possible, parse_date
from sorter.sidecars.takeout_titles import read_notes

_XMP_BYTES = 1 << 18  # of a file that are searched for XMP
_XMP_DATE = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate|exif:DateTimeDigitized)"
    rb"\s*(?:=\s*[\"']|>)\s*([0-9][^\"'<]{3,40})"
)
_TIME_ZONES = timedelta(hours=14)  # the farthest from UTC
_QUARTER = 900.0  # seconds: time zones differ by as much, or some of it
_SAME = 2.0  # seconds


class DateSource(StrEnum):
    """Where a date is from; stands in `--json` output."""

    EXIF = "exif"
    TAKEOUT = "takeout"
    XMP = "xmp"
    NAME = "name"
    FILE = "file"  # its time of change
    NONE = "undated"


@dataclass(frozen=True, slots=True)
class Dated:
    """When a photo was taken, in the time of where that was, as far as that is known."""

    when: datetime | None
    source: DateSource

    @property
    def month(self) -> str:
        """The folder for it: `2026/11`, or `undated`."""
        return f"{self.when.year:04}/{self.when.month:02}" if self.when else DateSource.NONE.value


def date_of(photo: Path, beside: Sequence[Path] = ()) -> Dated:
    """Return when a photo was taken; `beside` are the notes about it.

    What states a year that cannot be is no reason to believe the file's time: then it is undated.
    """
    sources: tuple[tuple[DateSource, Callable[[], Iterable[datetime]]], ...] = (
        (DateSource.EXIF, lambda: _parsed(stated_times(photo))),
        (DateSource.TAKEOUT, lambda: _takeouts(beside)),
        (DateSource.XMP, lambda: _xmps([photo, *beside])),
        (DateSource.NAME, lambda: _of_name(photo)),
    )
    impossible = False
    for source, stated in sources:
        for when in stated():
            if is_possible(when):
                return Dated(when, source)
            impossible = True
    try:
        when = datetime.fromtimestamp(photo.stat().st_mtime)
    except (OSError, ValueError, OverflowError):  # gone meanwhile, or a time no calendar has
        return Dated(None, DateSource.NONE)
    if impossible or not is_possible(when):
        return Dated(None, DateSource.NONE)
    return Dated(when, DateSource.FILE)


def are_of_one_time(note: Path, photo: Path) -> bool:
    """Return whether a note states the time at which a photo was taken by its camera's clock."""
    taken = next((when for when in _parsed(stated_times(photo)) if is_possible(when)), None)
    if taken is None:
        return False
    if note.suffix.lower() != ".json":
        return any(abs((when - taken).total_seconds()) <= _SAME for when in _xmps([note]))
    stated = _taken_in_utc(note)
    if stated is None:
        return False
    apart = stated.replace(tzinfo=None) - taken
    return abs(apart) <= _TIME_ZONES and _off_the_quarter(apart.total_seconds()) <= _SAME


def _off_the_quarter(seconds: float) -> float:
    rest = seconds % _QUARTER
    return min(rest, _QUARTER - rest)


def _parsed(texts: Iterable[str]) -> list[datetime]:
    return [when for text in texts if (when := parse_date(text)) is not None]


def _takeouts(notes: Sequence[Path]) -> list[datetime]:
    stated = [_taken_in_utc(note) for note in notes if note.suffix.lower() == ".json"]
    return [when.astimezone().replace(tzinfo=None) for when in stated if when is not None]


def _taken_in_utc(note: Path) -> datetime | None:
    taken = (read_notes(note) or {}).get("photoTakenTime")
    seconds = taken.get("timestamp") if isinstance(taken, dict) else None
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _xmps(files: Sequence[Path]) -> list[datetime]:
    """Return the dates in XMP: of sidecars, and of the packet in a photo."""
    texts = []
    for file in files:
        try:
            with file.open("rb") as opened:
                content = opened.read(_XMP_BYTES)
        except OSError:
            continue
        if b"xmp" in content:
            texts += [found.decode("ascii", "replace") for found in _XMP_DATE.findall(content)]
    return _parsed(texts)


def _of_name(photo: Path) -> list[datetime]:
    when = date_in_name(photo.name, datetime.now())
    return [when] if when is not None else []
