"""Photos put together of two: a cat and a dog in one picture, and controls that are not."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from core.model.preprocessing import Pixels

_SEAM = (0.0, 0.08)  # of the side: how far two photos fade into each other


def composite(
    photo: Pixels, other: Pixels, random: np.random.Generator, *, matched: float = 0.0
) -> Pixels:
    """Put two square photos of one size into one, beside each other or one on the other.

    Both are uint8 of shape `(size, size, 3)`. With a chance of `matched` the second takes on the
    colours of the first, more or less, as things in one photo do. Returns: the same shape.
    """
    if matched and random.random() < matched:
        other = _recoloured(other, photo, random.uniform(0.0, 1.0))
    size = photo.shape[0]
    if random.random() < 0.6:
        first, second, mask = _beside(photo, other, random)
    else:
        first, second, mask = _on_top(photo, other, random)
    mask = mask.filter(ImageFilter.GaussianBlur(random.uniform(*_SEAM) * size))
    first.paste(second, mask=mask)
    return np.asarray(first)


def _recoloured(photo: Pixels, like: Pixels, share: float) -> Pixels:
    """Bring the mean and the spread of each channel nearer to another photo's, by a share."""
    values, others = photo.astype(np.float32), like.astype(np.float32)
    mean, spread = values.mean((0, 1)), values.std((0, 1)) + 8
    other_mean, other_spread = others.mean((0, 1)), others.std((0, 1)) + 8
    scaled = (values - mean) * (other_spread / spread) ** share
    moved = scaled + mean + (other_mean - mean) * share
    recoloured: Pixels = np.clip(moved, 0, 255).astype(np.uint8)
    return recoloured


def _beside(
    photo: Pixels, other: Pixels, random: np.random.Generator
) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Each keeps a random part of its width or height, and fades into the other."""
    size = photo.shape[0]
    share = random.uniform(0.4, 0.6)
    first = _strip(photo, share + 0.05, random)
    second = _strip(other, 1.05 - share, random)
    ground, over = Image.new("RGB", (size, size)), Image.new("RGB", (size, size))
    ground.paste(first.resize((round((share + 0.05) * size), size)), (0, 0))
    width = round((1.05 - share) * size)
    over.paste(second.resize((width, size)), (size - width, 0))
    mask = Image.new("L", (size, size))
    mask.paste(255, (round(share * size), 0, size, size))
    if random.random() < 0.35:  # one above the other
        turn = Image.Transpose.TRANSPOSE
        # the photos lie on their sides if the strips alone are turned: cut them anew
        first = _strip(photo, share + 0.05, random, upright=False)
        second = _strip(other, 1.05 - share, random, upright=False)
        ground, over = Image.new("RGB", (size, size)), Image.new("RGB", (size, size))
        ground.paste(first.resize((size, round((share + 0.05) * size))), (0, 0))
        over.paste(second.resize((size, width)), (0, size - width))
        mask = mask.transpose(turn)
    return ground, over, mask


def _strip(
    photo: Pixels, share: float, random: np.random.Generator, *, upright: bool = True
) -> Image.Image:
    """Cut out a part of a photo: of its width a little more than is shown, or all of it."""
    size = photo.shape[0]
    kept = size * random.uniform(min(1.0, share + 0.1), 1.0)
    start = random.uniform(0.0, size - kept)
    image = Image.fromarray(photo)
    box = (start, 0.0, start + kept, size) if upright else (0.0, start, size, start + kept)
    target = (round(kept), size) if upright else (size, round(kept))
    return image.resize(target, Image.Resampling.BILINEAR, box=box)


def _on_top(
    photo: Pixels, other: Pixels, random: np.random.Generator
) -> tuple[Image.Image, Image.Image, Image.Image]:
    """One covers a corner or a side of the other, as a rectangle or an ellipse."""
    size = photo.shape[0]
    width, height = (round(size * random.uniform(0.4, 0.65)) for _ in range(2))
    left = int(random.choice([0, size - width, random.integers(size - width + 1)]))
    top = int(random.choice([0, size - height, size - height]))
    over, mask = Image.new("RGB", (size, size)), Image.new("L", (size, size))
    over.paste(Image.fromarray(other).resize((width, height)), (left, top))
    if random.random() < 0.5:
        mask.paste(255, (left, top, left + width, top + height))
    else:
        full = Image.new("L", (64, 64))
        y, x = np.mgrid[-1:1:64j, -1:1:64j]
        full = Image.fromarray(((x**2 + y**2 < 1) * 255).astype(np.uint8))
        mask.paste(full.resize((width, height)), (left, top))
    return Image.fromarray(photo), over, mask
