"""When a photo was taken: by its camera, notes about it, its name, or the file's time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from core.images.exif import stated_times
from core.runtime.regular_file import open_regular
from sorter.sidecars.takeout_titles import read_notes

_FIRST_YEAR, _LAST_YEAR = 1800, 2999  # what is outside is no date of a photo's

_HALF = r"[AaPp]\.?[Mm]\.?|上午|下午|午前|午後|오전|오후"  # of the day
_AFTERNOONS = ("p", "P", "下午", "午後", "오후")
_DATE = re.compile(
    r"\s*(?P<year>[0-9]{4})\s*[-:/.]\s*(?P<month>[0-9]{1,2})(?:\s*[-:/.]\s*(?P<day>[0-9]{1,2})"
    r"(?:[\sT_]+(?:(?P<before>" + _HALF + r")\s*)?"
    r"(?P<hour>[0-9]{1,2})\s*[:.]\s*(?P<minute>[0-9]{1,2})"
    r"(?:\s*[:.]\s*(?P<second>[0-9]{1,2})(?:[.,][0-9]+)?)?"
    r"\s*(?P<after>" + _HALF + r")?)?)?"
    r"\s*(?:Z|[A-Z]{3,5})?(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?\s*"
)
_IN_NAMES = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?P<between>[-_.]?)(?P<month>[0-9]{2})(?P=between)"
    r"(?P<day>[0-9]{2})(?=[^0-9]|$|[0-9]{6}(?![0-9])|[0-9]{9}(?![0-9]))"
)
_FIRST_IN_NAMES = 1990  # eight digits of an older year are more often a number
_XMP_BYTES = 1 << 18  # of a file that are searched for XMP
# the likeliest to be when it was taken first
_XMP_NAMES = (
    b"exif:DateTimeOriginal", b"photoshop:DateCreated", b"exif:DateTimeDigitized",
    b"xmp:CreateDate",
)  # fmt: skip
_XMP_DATE = re.compile(
    rb"(" + b"|".join(_XMP_NAMES) + rb")\s*(?:=\s*[\"']|>)\s*([0-9][^\"'<]{3,40})"
)
_TIME_ZONES = timedelta(hours=14)  # the farthest from UTC
_ZONE_SECONDS = 900.0  # time zones differ by as much, or some of it
_SAME_SECONDS = 2.0


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


def date_of(photo: Path, notes: Sequence[Path] = ()) -> Dated:
    """Return when a photo was taken; `notes` are about it.

    What states a year that cannot be is no reason to believe the file's time: then it is undated.
    """
    today = datetime.now()
    stated: tuple[tuple[DateSource, Callable[[], Iterable[datetime | None]]], ...] = (
        (DateSource.EXIF, lambda: map(parse_date, stated_times(photo))),
        (DateSource.TAKEOUT, lambda: map(_taken_here, notes)),
        (DateSource.XMP, lambda: _xmp_dates([photo, *notes])),
        (DateSource.NAME, lambda: [date_in_name(photo.name, today)]),
    )
    impossible = False
    for source, dates in stated:
        for when in dates():
            if when is not None and is_possible(when):
                return Dated(when, source)
            impossible |= when is not None
    try:
        when = datetime.fromtimestamp(photo.stat().st_mtime)
    except (OSError, ValueError, OverflowError):  # gone meanwhile, or a time no calendar has
        return Dated(None, DateSource.NONE)
    if impossible or not is_possible(when):
        return Dated(None, DateSource.NONE)
    return Dated(when, DateSource.FILE)


def are_of_one_time(note: Path, photo: Path) -> bool:
    """Return whether a note states the time at which a photo was taken by its camera's clock."""
    dates = map(parse_date, stated_times(photo))
    taken = next((when for when in dates if when is not None and is_possible(when)), None)
    if taken is None:
        return False
    if note.suffix.lower() != ".json":
        stated = (when for when in _xmp_dates([note]) if when is not None)
        return any(abs((when - taken).total_seconds()) <= _SAME_SECONDS for when in stated)
    in_utc = _taken_in_utc(note)
    if in_utc is None:
        return False
    apart = in_utc.replace(tzinfo=None) - taken
    beyond = apart.total_seconds() % _ZONE_SECONDS
    is_whole_zone = min(beyond, _ZONE_SECONDS - beyond) <= _SAME_SECONDS
    return is_whole_zone and abs(apart) <= _TIME_ZONES


def _taken_here(note: Path) -> datetime | None:
    when = _taken_in_utc(note) if note.suffix.lower() == ".json" else None
    return None if when is None else when.astimezone().replace(tzinfo=None)


def _taken_in_utc(note: Path) -> datetime | None:
    taken = (read_notes(note) or {}).get("photoTakenTime")
    seconds = taken.get("timestamp") if isinstance(taken, dict) else None
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _xmp_dates(files: Sequence[Path]) -> Iterator[datetime | None]:
    """Yield the dates in XMP: of sidecars, and of the packet in a photo."""
    for file in files:
        try:
            with open_regular(file) as opened:
                content = opened.read(_XMP_BYTES)
        except OSError:
            continue
        if b"xmp" in content:
            found = sorted(_XMP_DATE.findall(content), key=lambda one: _XMP_NAMES.index(one[0]))
            yield from (parse_date(text.decode("ascii", "replace")) for _, text in found)


def parse_date(text: str) -> datetime | None:
    """Return a date, in the time of wherever it was written; None if it is none that can be.

    Android's `kk` writes the hour after midnight as 24, of the new day; leap seconds are :60.
    """
    found = _DATE.fullmatch(text.strip("\0 \t\r\n"))
    if found is None:
        return None
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    half = found["before"] or found["after"]
    if half:
        hour = hour % 12 + 12 * half.startswith(_AFTERNOONS)
    try:
        return datetime(
            int(found["year"]),
            int(found["month"]),
            int(found["day"] or 1),
            0 if hour == 24 else hour,
            minute,
            min(int(found["second"] or 0), 59) if int(found["second"] or 0) <= 60 else 99,
        )
    except ValueError:  # "0000:00:00 00:00:00" of a camera whose clock was never set
        return None


def is_possible(when: datetime) -> bool:
    """Return whether a date can be a photo's: year 1 and year 9999 stand for "not known"."""
    return _FIRST_YEAR <= when.year <= _LAST_YEAR


def date_in_name(name: str, today: datetime) -> datetime | None:
    """Return the date in `IMG-20190708-WA0001.jpg`, `Screenshot_2019-07-08.png` and the like."""
    for found in _IN_NAMES.finditer(name):
        try:
            when = datetime(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:
            continue
        if _FIRST_IN_NAMES <= when.year <= today.year + 1:
            return when
    return None
