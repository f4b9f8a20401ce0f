"""The one way from an image to what the network sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.model.preprocessing import Preprocessing, preprocess


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


def test_a_photo_is_brought_to_the_sharpness_of_those_that_were_learnt_from() -> None:
    """A large photo looks to the network as its small copy does; a small one is left as it is."""
    noise = np.random.default_rng(1).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    large = Image.fromarray(noise)
    small = large.resize((75, 50), Image.Resampling.BILINEAR, reducing_gap=2.0)
    how = Preprocessing(64, 72, shorter_side=50)
    assert (preprocess(large, how) == preprocess(small, how)).all()
    sharp = preprocess(large, Preprocessing(64, 72)).astype(int)
    assert sharp.std() > preprocess(large, how).std()
    assert (preprocess(small, Preprocessing(64, 72)) == preprocess(small, how)).all()
    assert how.decoded_side == 50
    assert Preprocessing(64, 72).decoded_side == 72


@pytest.mark.parametrize(
    "settings",
    [
        {"resize": "crop"},
        {"resample": "nearest"},
        {"size": 0},
        {"stored_size": 0},
        {"shorter_side": 0},
    ],
)
def test_settings_that_it_does_not_know_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Received"):
        Preprocessing(**{"size": 32, "stored_size": 36, **settings})  # type: ignore[arg-type]
