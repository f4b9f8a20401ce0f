"""The page about a table, as a browser shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.archive.classify import Looking
from core.archive.report.report_page import report_page
from core.archive.report.summary import summarize
from core.archive.table import Table
from tests.browsing import DESKTOP, PHONE, Browser

NASTY = "<img src=x onerror=alert(1)>&.jpg"


@pytest.fixture
def page(
    photos: Callable[..., Path],
    over: Any,
    looking: Looking,
    draw: Callable[..., Any],
    tmp_path: Path,
) -> Path:
    """The page about photos of several years, one unreadable, one gone since, one oddly named."""
    folder = photos(24)
    for number in range(24):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{2020 + number // 12}:{number % 12 + 1:02}:01 00:00:00"
        draw(("cats", "dogs", "other")[number % 3], number).save(
            folder / f"{number:05}.jpg", exif=exif
        )
    draw("cats", 99).save(folder / NASTY)
    (folder / "00001.jpg").write_bytes(b"")
    over([folder], tmp_path / "table", Looking(looking.classifier, threshold=0.9))
    (folder / "00002.jpg").unlink()
    table = Table(str(tmp_path / "table"))
    file = tmp_path / "report.html"
    file.write_text(report_page(summarize(table), table.address), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_it_shows_everything_at_any_width_and_asks_no_host(
    page: Path, width: int, dark: bool, browser: Browser
) -> None:
    with browser.visit(page, width=width, dark=dark) as shown:
        assert shown.page.inner_text("h1") == "25 photos in an archive"
        tiles = shown.page.locator(".tile b").all_inner_texts()
        assert sum(map(int, tiles)) == 25
        assert shown.page.locator(".chart > div").count() == 24  # months
        pictures = shown.page.locator(".photo img")
        assert pictures.evaluate_all("all => all.every(one => one.naturalWidth === 200)")
        assert pictures.count() + shown.page.locator(".photo .none").count() == 24
        assert shown.page.locator(".photo .none").count() == 1
        assert shown.page.locator(".file", has_text="onerror").count() == 1
        assert shown.page.locator(".errors code").all_inner_texts() == ["empty"]
        assert (shown.requests, shown.errors, shown.overflow) == ([], [], 0)
        assert shown.serious() == []


def test_months_of_many_years_become_years(tmp_path: Path) -> None:
    from datetime import datetime

    from core.archive.report.report_page import columns_of, groups_of
    from core.archive.row import Row, as_table

    (tmp_path / "table").mkdir()
    table = Table(str(tmp_path / "table"))
    rows = [
        Row(
            f"{year}",
            None,
            None,
            1,
            1,
            0.0,
            "m",
            "filed",
            "cat",
            1.0,
            {},
            taken=datetime(year, 5, 1),
        )
        for year in (2001, 2004, 2004)
    ]
    table.publish(as_table(rows, embeddings=False))
    summary = summarize(table)
    columns = columns_of(summary, groups_of(summary))
    assert [(one.name, one.photos) for one in columns] == [
        ("2001", 1),
        ("2002", 0),
        ("2003", 0),
        ("2004", 2),
    ]
    assert [part[2] for one in columns for part in one.parts] == [0.5, 1.0]
