"""The one way from an image to what the network sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.preprocessing import Preprocessing, preprocess


def test_it_squashes_to_a_square_of_bytes() -> None:
    picture = Image.new("RGB", (300, 100), (10, 20, 30))
    pixels = preprocess(picture, Preprocessing(24, 27))
    assert pixels.shape == (24, 24, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == (10, 20, 30)).all()


def test_shrinking_averages_over_all_pixels() -> None:
    """Stripes a pixel wide become their mean, not one of the two."""
    stripes = np.zeros((128, 128, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    pixels = preprocess(Image.fromarray(stripes), Preprocessing(16, 18))
    assert np.abs(pixels.astype(int) - 100).max() < 15


@pytest.mark.parametrize(
    "settings", [{"resize": "crop"}, {"resample": "nearest"}, {"size": 0}, {"stored_size": 0}]
)
def test_settings_that_it_does_not_know_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Received"):
        Preprocessing(**{"size": 32, "stored_size": 36, **settings})  # type: ignore[arg-type]
