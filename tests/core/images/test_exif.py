"""When a photo was taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from core.images.exif import stated_times
from core.images.pillow_image import register
from tests.conftest import Draw


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".heic"])
def test_what_the_camera_wrote_is_read(tmp_path: Path, draw: Draw, suffix: str) -> None:
    register("HEIF")
    exif = Image.Exif()
    exif[0x0132] = "2020:02:29 01:02:03"
    draw("cats", 1).save(tmp_path / f"changed{suffix}", exif=exif)
    assert stated_times(tmp_path / f"changed{suffix}") == ["2020:02:29 01:02:03"]
    if suffix != ".tif":  # Pillow does not write the camera's block into TIFF
        exif.get_ifd(0x8769)[0x9003] = "2019:07:04 12:30:00"
        draw("cats", 1).save(tmp_path / f"taken{suffix}", exif=exif)
        both = ["2019:07:04 12:30:00", "2020:02:29 01:02:03"]
        assert stated_times(tmp_path / f"taken{suffix}") == both, "the best first"


def test_a_photo_that_does_not_say_has_no_time(tmp_path: Path, draw: Draw) -> None:
    draw("cats", 1).save(tmp_path / "plain.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "plain.jpg").read_bytes()[:30])
    (tmp_path / "text.jpg").write_text("no image")
    for name in ("plain.jpg", "cut.jpg", "text.jpg", "gone.jpg"):
        assert stated_times(tmp_path / name) == []
