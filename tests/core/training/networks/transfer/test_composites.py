"""Photos put together of two."""

from __future__ import annotations

import numpy as np

from core.training.networks.transfer.composites import composite

RED = np.full((64, 64, 3), (255, 0, 0), np.uint8)
BLUE = np.full((64, 64, 3), (0, 0, 255), np.uint8)


def test_both_photos_are_seen() -> None:
    """Of each a good part is there, and hardly anything that is neither."""
    for seed in range(60):
        made = composite(RED, BLUE, np.random.default_rng(seed))
        assert made.shape == RED.shape
        assert made.dtype == np.uint8
        red = (made[..., 0] > 128).mean()
        blue = (made[..., 2] > 128).mean()
        assert red > 0.25
        assert blue > 0.08
        assert (made.max(axis=-1) < 100).mean() < 0.05


def test_the_same_generator_gives_the_same() -> None:
    """A composite follows from the random numbers alone, and the photos stay as they are."""
    before = RED.copy()
    one, two = (composite(RED, BLUE, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.array_equal(before, RED)


def test_a_photo_takes_on_the_others_colours() -> None:
    """So that colours alone do not tell of a seam: the second photo is no longer as blue."""
    dark = (RED // 4).astype(np.uint8)
    apart, like = (
        np.mean(
            [
                composite(dark, BLUE, np.random.default_rng(seed), matched=matched)[..., 2].mean()
                for seed in range(40)
            ]
        )
        for matched in (0.0, 1.0)
    )
    assert like < 0.7 * apart
