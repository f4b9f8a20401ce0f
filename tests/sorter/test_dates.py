"""A photo is dated by its camera, then by notes, its name and its file, however they write it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from catdog import main
from sorter.dates import DateSource, date_in_name, date_of, is_possible, parse_date

Draw = Callable[..., Any]
SHM = Path("/dev/shm")  # a tmpfs keeps any time
FILE = 1_600_000_000  # 13 September 2020


def make(path: Path, image: Any, taken: str | None = None, modified: int = FILE) -> Path:
    exif = Image.Exif()
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    image.save(path, exif=exif)
    os.utime(path, (modified, modified))
    return path


def dated(photo: Path, *beside: Path) -> tuple[str, str]:
    found = date_of(photo, beside)
    return found.month, found.source.value


def test_each_source_is_asked_in_turn(tmp_path: Path, draw: Draw) -> None:
    image = draw("cats", 1)
    takeout, xmp = tmp_path / "a.jpg.json", tmp_path / "a.xmp"
    takeout.write_text('{"title": "a.jpg", "photoTakenTime": {"timestamp": "1500000000"}}')
    xmp.write_text('<x:xmpmeta><rdf:li exif:DateTimeOriginal="2016-05-06T07:08:09.10+01:00"/>')
    name = "IMG-20190708-WA0001.jpg"
    with_exif = make(tmp_path / name, image, "2015-02-03T04:05:06")
    assert dated(with_exif, xmp, takeout) == ("2015/02", "exif")
    without = make(tmp_path / name, image)
    assert dated(without, xmp, takeout) == ("2017/07", "takeout")
    assert dated(without, xmp) == ("2016/05", "xmp")
    assert dated(without) == ("2019/07", "name")
    assert dated(make(tmp_path / "tom.jpg", image)) == ("2020/09", "file")
    assert dated(tmp_path / "gone.jpg") == ("undated", "undated")


def test_xmp_in_a_photo_is_read(tmp_path: Path, draw: Draw) -> None:
    photo = tmp_path / "tom.jpg"
    packet = (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><xmp:CreateDate>2014-03-02T01:00</xmp:CreateDate>"
    )
    draw("cats", 1).save(photo, xmp=packet)
    assert dated(photo) == ("2014/03", "xmp")


@pytest.mark.parametrize("taken", ["0001:01:01 00:00:00", "9999:12:31 23:59:59"])
def test_a_year_that_cannot_be_is_undated(tmp_path: Path, draw: Draw, taken: str) -> None:
    """Not filed by the file's time; but a name that has a date states it."""
    assert dated(make(tmp_path / "tom.jpg", draw("cats", 1), taken)) == ("undated", "undated")
    named = make(tmp_path / "PXL_20190708_1.jpg", draw("cats", 1), taken)
    assert dated(named) == ("2019/07", "name")


@pytest.mark.parametrize("modified", [-62_000_000_000, 253_000_000_000])
def test_a_file_time_that_cannot_be_is_undated(tmp_path: Path, draw: Draw, modified: int) -> None:
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else tmp_path) as folder:
        photo = make(Path(folder) / "tom.jpg", draw("cats", 1), modified=modified)
        if photo.stat().st_mtime != modified:
            pytest.skip("this file system does not keep such times")
        assert dated(photo) == ("undated", "undated")


def test_notes_that_are_none_do_no_harm(tmp_path: Path, draw: Draw) -> None:
    photo = make(tmp_path / "tom.jpg", draw("cats", 1))
    for content in (
        b"[]",
        b"{",
        b'{"photoTakenTime": 3}',
        b'{"photoTakenTime": {"timestamp": "x"}}',
    ):
        note = tmp_path / "tom.jpg.json"
        note.write_bytes(content)
        assert dated(photo, note) == ("2020/09", DateSource.FILE)


def test_sort_says_by_what_it_has_dated(tmp_path: Path, draw: Draw, tiny_model: Path) -> None:
    make(tmp_path / "tom.jpg", draw("cats", 300))
    (tmp_path / "tom.jpg.supplemental-metadata.json").write_text(
        '{"title": "tom.jpg", "photoTakenTime": {"timestamp": "1500000000"}}'
    )
    options = ["sort", str(tmp_path), "--model", str(tiny_model), "--by-date", "--json"]
    shown = [json.loads(one) for one in CliRunner().invoke(main, options).stdout.splitlines()]
    (one,) = (one for one in shown if one["path"].endswith("tom.jpg"))
    assert (one["date_source"], one["date"][:7]) == ("takeout", "2017-07")
    assert one["destination"] == str(tmp_path / "cats" / "2017" / "07" / "tom.jpg")
    assert (tmp_path / "cats/2017/07/tom.jpg.supplemental-metadata.json").exists()


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


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2019-07-08T12:13:14+02", 12),
        ("2019:07:08 12:13:14 GMT+02:00", 12),
        ("2019:07:08 12:13:14 CEST", 12),
        ("2019:07:08 PM 01:02:03", 13),
        ("2019:07:08 下午 01:13:14", 13),
        ("2019:07:08 上午 12:13:14", 0),
        ("2019-07", 0),
    ],
)
def test_zones_and_halves_of_a_day_are_read_as_they_are_written(text: str, hour: int) -> None:
    when = parse_date(text)
    assert when is not None
    assert (when.year, when.month, when.hour) == (2019, 7, hour)


def test_when_it_was_taken_goes_before_when_it_was_made(tmp_path: Path, draw: Draw) -> None:
    xmp = tmp_path / "a.xmp"
    xmp.write_text('<x:xmpmeta xmp:CreateDate="2024-01-01" exif:DateTimeOriginal="1999-02-03"/>')
    assert dated(make(tmp_path / "a.jpg", draw("cats", 1)), xmp) == ("1999/02", "xmp")


@pytest.mark.skipif(os.name != "posix", reason="FIFOs as POSIX has them")
def test_a_note_that_is_a_fifo_is_not_waited_for(tmp_path: Path, draw: Draw) -> None:
    for name in ("a.xmp", "a.jpg.json"):
        os.mkfifo(tmp_path / name)
    notes = [tmp_path / "a.xmp", tmp_path / "a.jpg.json"]
    assert dated(make(tmp_path / "a.jpg", draw("cats", 1)), *notes) == ("2020/09", "file")
