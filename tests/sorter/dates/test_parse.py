"""Dates are read however they are written, and what is no date is none."""

from __future__ import annotations

from datetime import datetime

import pytest

from sorter.dates.parse import date_in_name, is_possible, parse_date

TODAY = datetime(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2019:07:04 12:30:05", (2019, 7, 4, 12, 30, 5)),
        ("2019-07-04 12:30:05", (2019, 7, 4, 12, 30, 5)),
        ("2019/07/04 12:30:05", (2019, 7, 4, 12, 30, 5)),
        ("2019-07-04T12:30:05", (2019, 7, 4, 12, 30, 5)),
        ("2019-07-04T12:30:05Z", (2019, 7, 4, 12, 30, 5)),
        ("2019-07-04T12:30:05.123+02:00", (2019, 7, 4, 12, 30, 5)),
        ("2019:07:04 12:30:05-0700", (2019, 7, 4, 12, 30, 5)),
        ("2019:07:04 12:30:05.99", (2019, 7, 4, 12, 30, 5)),
        ("2019:07:04 12:30", (2019, 7, 4, 12, 30, 0)),
        ("2019:07:04", (2019, 7, 4, 0, 0, 0)),
        ("2019:07:31 24:08:19", (2019, 7, 31, 0, 8, 19)),
        ("2019:07:04 12:30:60", (2019, 7, 4, 12, 30, 59)),
        ("2019:07:04 01:30:05 PM", (2019, 7, 4, 13, 30, 5)),
        ("2019/07/04 12:30:05 a.m.", (2019, 7, 4, 0, 30, 5)),
        ("2019: 7: 4  1: 2: 3\0", (2019, 7, 4, 1, 2, 3)),
        ("2019.07.04 12.30.05", (2019, 7, 4, 12, 30, 5)),
    ],
)
def test_dates_as_cameras_write_them(text: str, when: tuple[int, ...]) -> None:
    assert parse_date(text) == datetime(*when)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "0000:00:00 00:00:00", "    :  :     :  :  ", "2019:13:04 12:30:05", "2019:02:30",
     "2019:07:04 25:00:00", "2019:07:04 12:30:61", "yesterday", "2019", "12345:01:01"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_years_that_stand_for_not_known() -> None:
    for year, possible in ((1, False), (9999, False), (1839, True), (2026, True), (2286, True)):
        assert is_possible(datetime(year, 1, 1)) == possible


@pytest.mark.parametrize(
    "name",
    [
        "IMG-20190708-WA0001.jpg", "PXL_20190708_123456789.jpg", "Screenshot_20190708-123456.png",
        "Screenshot 2019-07-08 at 12.30.45.png", "20190708_123456.jpg", "2019-07-08 12.30.45.jpg",
        "signal-2019-07-08-123456.jpg", "photo_2019-07-08_12-30-45.jpg", "IMG_20190708_123456.heic",
        "WhatsApp Image 2019-07-08 at 12.30.45.jpeg", "MVIMG_20190708_1.jpg", "2019.07.08.jpg",
        "20190708123045.jpg", "DSC_20190708.jpg",
    ],
)  # fmt: skip
def test_dates_in_names(name: str) -> None:
    assert date_in_name(name, TODAY) == datetime(2019, 7, 8)


@pytest.mark.parametrize(
    "name",
    ["IMG_1234.jpg", "120190708.jpg", "201907081.jpg", "20191340.jpg", "19700101.jpg",
     "2099-01-01.jpg", "2019-0708.jpg", "12345678_87654321.jpg"],
)  # fmt: skip
def test_numbers_in_names_that_are_no_dates(name: str) -> None:
    assert date_in_name(name, TODAY) is None
