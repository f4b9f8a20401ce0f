"""The one way from an image to the network's input, for training and serving alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The settings that a network was trained with, as its manifest keeps them.

    A photo is first brought to the sharpness of those that were learnt from: none has a shorter
    side of more than `shorter_side` pixels. Where training keeps photos at a `stored_size` and
    takes smaller images from those, serving takes the same two steps; one step alone makes sharper
    images than those learnt from, which cost the first model here 2.4 points of accuracy.
    `squash` fits the whole photo in, whatever its shape; `bilinear` is Pillow's, which
    averages over all pixels when it shrinks.
    """

    size: int  # pixels, both sides
    stored_size: int  # pixels, both sides
    shorter_side: int | None = None  # pixels; None: as sharp as the photo is
    resize: str = "squash"
    resample: str = "bilinear"

    def __post_init__(self) -> None:
        sizes = (self.size, self.stored_size, self.shorter_side)
        if any(size is not None and size < 1 for size in sizes):
            raise ValueError(
                "sizes must be at least 1 pixel. Received: "
                f"size {self.size}, stored_size {self.stored_size}, "
                f"shorter_side {self.shorter_side}"
            )
        if (self.resize, self.resample) != ("squash", "bilinear"):
            raise ValueError(
                "this version of catdog knows resize 'squash' with resample 'bilinear'. "
                f"Received: {self.resize!r} with {self.resample!r}"
            )

    @property
    def decoded_side(self) -> int:
        """The shorter side, in pixels, that a photo need be decoded to."""
        return self.shorter_side or self.stored_size


def stored_size_for(size: int) -> int:
    """Compute the side that photos are decoded to once: a little larger than the input."""
    return size * 9 // 8


def squash(image: Image.Image, side: int) -> Image.Image:
    """Resize an image to a square."""
    if image.size == (side, side):
        return image
    # reducing_gap: a first step by whole pixels, 3 times faster on large photos
    return image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)


def stored(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """Resize an upright RGB image to the sharpness and size that training keeps photos at."""
    shorter = preprocessing.shorter_side
    if shorter is not None and min(image.size) > shorter:
        scale = shorter / min(image.size)
        size = (max(1, round(side * scale)) for side in image.size)
        width, height = size
        image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return squash(image, preprocessing.stored_size)


def preprocess(image: Image.Image, preprocessing: Preprocessing) -> Pixels:
    """Convert an upright RGB image to the network's input.

    Returns: uint8, shape `(size, size, 3)`, 0-255; scaling is inside the model.
    """
    return np.asarray(squash(stored(image, preprocessing), preprocessing.size))
