"""The header of a JPEG 2000."""

from __future__ import annotations

from core.images.decode import open_image
from tests.core.images.pictures import drawn, encoded


def test_a_large_jpeg_2000_is_decoded_smaller() -> None:
    picture = drawn().resize((1600, 1400))
    opened = open_image(encoded("JPEG2000", picture), min_side=140)
    assert 140 <= min(opened.size) < 350
