"""What happens to photos on their way: sharpening, blur, hard compression, noise."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from core.training.networks.recipe import Augmentation


def degrade(
    image: Image.Image, augmentation: Augmentation, random: np.random.Generator
) -> Image.Image:
    """Sharpen, blur, compress and add noise to some photos, in this order, each by chance."""
    if random.random() < augmentation.sharpened:
        image = image.filter(ImageFilter.UnsharpMask(1, int(random.integers(20, 120)), 0))
    if random.random() < augmentation.blurred:
        image = _blur(image, random)
    if random.random() < augmentation.compressed:
        image = _compress(image, quality=int(random.integers(15, 80)))
    if random.random() < augmentation.noisy:
        image = _add_noise(image, random)
    return image


def _blur(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Blur softly, or by shrinking and enlarging again."""
    side = image.width
    if random.random() < 0.5:
        return image.filter(ImageFilter.GaussianBlur(side / 96 * random.uniform(0.3, 1.3)))
    small = round(side * random.uniform(0.4, 0.8))
    once = image.resize((small, small), Image.Resampling.BILINEAR)
    return once.resize((side, side), Image.Resampling.BILINEAR)


def _compress(image: Image.Image, *, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _add_noise(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Add noise as of a dark room, a little to a lot: of 2 to 14 levels of 255."""
    pixels = np.asarray(image)
    noise = random.standard_normal(pixels.shape, dtype=np.float32) * random.uniform(2.0, 14.0)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
