"""Random variations of training photos, the same for the same random generator."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.preprocessing import Pixels
from core.training.recipe import Augmentation

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def augment(
    photos: Pixels, size: int, augmentation: Augmentation, random: np.random.Generator
) -> Pixels:
    """Crop, stretch, mirror and recolour each photo of a batch in its own way.

    `photos` is uint8 of shape `(n, side, side, 3)`. Returns: uint8, `(n, size, size, 3)`.
    """
    return np.stack([_augment_one(photo, size, augmentation, random) for photo in photos])


def _augment_one(
    photo: Pixels, size: int, augmentation: Augmentation, random: np.random.Generator
) -> Pixels:
    side = photo.shape[0]
    area = random.uniform(augmentation.min_area, 1.0)
    stretch = math.exp(random.uniform(-0.5, 0.5) * math.log(augmentation.aspect))
    width = side * min(1.0, math.sqrt(area) * stretch)
    height = side * min(1.0, math.sqrt(area) / stretch)
    left = random.uniform(0.0, side - width)
    top = random.uniform(0.0, side - height)
    # Pillow averages when it shrinks, as it does for serving
    image = Image.fromarray(photo).resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )
    if augmentation.flip and random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    matrix = _recolouring(augmentation, float(photo.mean()), random)
    return np.asarray(image.convert("RGB", tuple(matrix.ravel().tolist())))


def _recolouring(
    augmentation: Augmentation, mean: float, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw a change of brightness, contrast (about the photo's mean) and saturation in one.

    Returns: shape `(3, 4)`, from (R, G, B, 1) to (R, G, B), 0-255.
    """

    def factor(most: float) -> float:
        return float(random.uniform(1.0 - most, 1.0 + most))

    brightness = factor(augmentation.brightness)
    contrast = factor(augmentation.contrast)
    saturation = factor(augmentation.saturation)
    mixing = saturation * np.eye(3) + (1.0 - saturation) * np.tile(_LUMA, (3, 1))
    offset = np.full((3, 1), (1.0 - contrast) * brightness * mean)
    return np.hstack([brightness * contrast * mixing, offset])
