"""Rows of photos: their sides, their time, and reading while looking."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.archive import classify as module
from core.archive.classify import INTERNAL_ERROR, Looking, classify
from core.archive.sources.source import of_file
from core.images.decode import open_image

_TAKEN, _CHANGED = 0x9003, 0x0132  # Pillow writes the second alone into TIFFs


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[_TAKEN] = exif[_CHANGED] = "2021:05:04 03:02:01"
    return exif


@pytest.mark.parametrize(
    ("suffix", "orientation"),
    [*product(["jpg", "png", "webp", "tiff"], [1, 6]), ("heic", 1)],
)
def test_sides_are_those_of_the_upright_photo_and_the_time_its_cameras(
    suffix: str, orientation: int, draw: Callable[..., Any], looking: Looking, tmp_path: Path
) -> None:
    from core.images.pillow_image import register

    register("HEIF")
    path = tmp_path / f"photo.{suffix}"
    draw("cats", 1, (120, 80)).save(path, exif=_exif(orientation))
    (row,) = classify([of_file(path)], looking)
    assert row.error is None
    assert (row.width, row.height) == ((120, 80) if orientation == 1 else (80, 120))
    assert row.taken == datetime(2021, 5, 4, 3, 2, 1)


def test_rows_come_in_the_order_of_the_photos(
    photos: Callable[..., Path], looking: Looking
) -> None:
    sources = [of_file(path) for path in sorted(photos(40).iterdir())]
    assert [row.path.encode() for row in classify(sources, looking)] == [
        source.key for source in sources
    ]


def test_a_bug_is_the_error_of_the_photo_that_shows_it(
    photos: Callable[..., Path], looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = photos(3)

    def fails_for_one(content: Any, **_: Any) -> Any:
        if content == folder / "00001.jpg":
            raise ZeroDivisionError
        return Image.open(content).convert("RGB")

    monkeypatch.setattr(module, "open_image", fails_for_one)
    monkeypatch.setattr(module._Facts, "sides", (1, 1))
    rows = list(classify([of_file(path) for path in sorted(folder.iterdir())], looking))
    assert [row.error for row in rows] == [None, INTERNAL_ERROR, None]


def test_no_more_photos_are_looked_at_than_there_are_cores(
    photos: Callable[..., Path], looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_core = Looking(looking.classifier, cores=1)
    at_once, most, lock = 0, 0, threading.Lock()

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            return open_image(*arguments, **named)
        finally:
            with lock:
                at_once -= 1

    monkeypatch.setattr(module, "open_image", counted)
    assert len(list(classify(map(of_file, photos(20).iterdir()), one_core))) == 20
    assert most == 1
