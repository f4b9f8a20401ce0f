"""Dates as cameras, programs and people write them."""

from __future__ import annotations

import re
from datetime import datetime

_FIRST_YEAR, _LAST_YEAR = 1800, 2999  # what is outside is no date of a photo's

_DATE = re.compile(
    r"\s*(?P<year>[0-9]{4})\s*[-:/.]\s*(?P<month>[0-9]{1,2})\s*[-:/.]\s*(?P<day>[0-9]{1,2})"
    r"(?:[\sT_]+(?P<hour>[0-9]{1,2})\s*[:.]\s*(?P<minute>[0-9]{1,2})"
    r"(?:\s*[:.]\s*(?P<second>[0-9]{1,2})(?:[.,][0-9]+)?)?"
    r"\s*(?P<half>[AaPp])?(?(half)\.?[Mm]\.?))?"
    r"\s*(?:Z|UTC|GMT|[+-][0-9]{1,2}:?[0-9]{2})?\s*"
)
_IN_NAMES = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?P<between>[-_.]?)(?P<month>[0-9]{2})(?P=between)"
    r"(?P<day>[0-9]{2})(?=[^0-9]|$|[0-9]{6}(?![0-9])|[0-9]{9}(?![0-9]))"
)
_FIRST_IN_NAMES = 1990  # eight digits of an older year are more often a number


def parse_date(text: str) -> datetime | None:
    """Return a date, in the time of wherever it was written; None if it is none that can be.

    Android's `kk` writes the hour after midnight as 24, of the new day; leap seconds are :60.
    """
    found = _DATE.fullmatch(text.strip("\0 \t\r\n"))
    if found is None:
        return None
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"] in "pP")
    try:
        return datetime(
            int(found["year"]),
            int(found["month"]),
            int(found["day"]),
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
