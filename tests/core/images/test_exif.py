"""When a photo was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.images.exif import taken_at


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".heic"])
def test_what_the_camera_wrote_is_read(
    tmp_path: Path, draw: Callable[..., Any], suffix: str
) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    exif = Image.Exif()
    exif[0x0132] = "2020:02:29 01:02:03"
    draw("cats", 1).save(tmp_path / f"changed{suffix}", exif=exif)
    assert taken_at(tmp_path / f"changed{suffix}") == datetime(2020, 2, 29, 1, 2, 3)
    if suffix != ".tif":  # Pillow does not write the camera's block into TIFF
        exif.get_ifd(0x8769)[0x9003] = "2019:07:04 12:30:00"
        draw("cats", 1).save(tmp_path / f"taken{suffix}", exif=exif)
        assert taken_at(tmp_path / f"taken{suffix}") == datetime(2019, 7, 4, 12, 30)


def test_a_photo_that_does_not_say_has_no_time(tmp_path: Path, draw: Callable[..., Any]) -> None:
    draw("cats", 1).save(tmp_path / "plain.jpg")
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    draw("cats", 1).save(tmp_path / "unset.jpg", exif=exif)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "plain.jpg").read_bytes()[:30])
    (tmp_path / "text.jpg").write_text("no image")
    for name in ("plain.jpg", "unset.jpg", "cut.jpg", "text.jpg", "gone.jpg"):
        assert taken_at(tmp_path / name) is None
