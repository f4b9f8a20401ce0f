"""Images that stand in for photos which are not there: by what a model answers it is kept to."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from core.preprocessing import Pixels

_PIECE = (0.02, 0.3)  # of a photo's area: too little, mostly, to tell what is in the photo
_LAID_PIECE = (0.02, 0.5)
_MOST_LAID = 3  # pieces of other photos upon it
_LAID = (1 / 8, 3 / 4)  # of the side that each covers
_TURNED, _SWAPPED = 0.5, 0.6  # shares of pieces turned, of images whose colours are swapped
_CONTRAST = (0.6, 1.8)  # times
_TINT = 50.0  # of 255, at most


def stand_ins(photos: Pixels, number: int, random: np.random.Generator) -> Pixels:
    """Make stand-ins of photos: a small piece of one, with pieces of others, in other colours.

    A network can be taught most of what another knows by the other's answers to such images,
    though none shows what either was made for: Asano and Saeed, "The augmented image prior", 2023.

    `photos` is uint8 of shape `(n, size, size, 3)`. Returns: the same, `number` for `n`.
    """
    return np.stack([_stand_in(photos, random) for _ in range(number)])


def _stand_in(photos: Pixels, random: np.random.Generator) -> Pixels:
    size = photos.shape[1]
    image = _piece(random.choice(photos), (size, size), _PIECE, random)
    for _ in range(random.integers(_MOST_LAID + 1)):
        width, height = (max(1, round(size * share)) for share in random.uniform(*_LAID, 2))
        laid = _piece(random.choice(photos), (width, height), _LAID_PIECE, random)
        corner = (int(random.integers(size - width + 1)), int(random.integers(size - height + 1)))
        image.paste(laid, corner)
    return _recoloured(np.asarray(image), random)


def _piece(
    photo: Pixels, size: tuple[int, int], area: tuple[float, float], random: np.random.Generator
) -> Image.Image:
    """Cut a square of some share of the area out of a photo, perhaps turned by any angle."""
    side = math.sqrt(random.uniform(*area)) * photo.shape[0]
    left, top = random.uniform(0, photo.shape[0] - side, 2)
    image = Image.fromarray(photo).resize(
        size, Image.Resampling.BILINEAR, box=(left, top, left + side, top + side)
    )
    if random.random() < _TURNED:
        ground = image.getpixel((0, 0))
        image = image.rotate(random.uniform(0, 360), Image.Resampling.BILINEAR, fillcolor=ground)
    return image


def _recoloured(pixels: Pixels, random: np.random.Generator) -> Pixels:
    if random.random() < _SWAPPED:
        pixels = pixels[:, :, random.permutation(3)]
    contrasted = (pixels.astype(np.float32) - 128) * random.uniform(*_CONTRAST) + 128
    values = contrasted + random.uniform(-_TINT, _TINT, 3)
    return np.clip(values, 0, 255).astype(np.uint8)
