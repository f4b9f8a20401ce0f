"""A photo is dated by its camera, then by notes, its name and its file, and says by which."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from catdog import main
from sorter.dates.sources import DateSource, date_of

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
    """Not filed by the file's time; but a name that has a date tells it."""
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
    told = [json.loads(one) for one in CliRunner().invoke(main, options).stdout.splitlines()]
    (one,) = (one for one in told if one["path"].endswith("tom.jpg"))
    assert (one["date_source"], one["date"][:7]) == ("takeout", "2017-07")
    assert one["destination"] == str(tmp_path / "cats" / "2017" / "07" / "tom.jpg")
    assert (tmp_path / "cats/2017/07/tom.jpg.supplemental-metadata.json").exists()
