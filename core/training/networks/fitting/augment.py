"""Random variations of training photos, the same for the same random generator."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.model.preprocessing import Pixels
from core.training.networks.fitting.degrade import degrade
from core.training.networks.recipe import Augmentation

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_TURNS = (
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)


def augment(
    photos: Pixels,
    size: int,
    augmentation: Augmentation,
    random: np.random.Generator,
    grounds: Pixels | None = None,
) -> Pixels:
    """Crop or shrink, stretch, turn, mirror, recolour and degrade each photo in its own way.

    `photos` is uint8 of shape `(n, side, side, 3)`; so is `grounds`, photos of neither class on
    which shrunk ones are shown. Returns: uint8, `(n, size, size, 3)`.
    """
    return np.stack([_augment_one(photo, size, augmentation, random, grounds) for photo in photos])


def pair(
    photos: Pixels,
    targets: npt.NDArray[np.float32],
    filed: npt.NDArray[np.bool_],
    share: float,
    random: np.random.Generator,
) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Replace a share of the photos that are `filed` by pairs with one of another filed class.

    The two stand side by side or one above the other, each squashed to its part of the square;
    the target is the mean of theirs. A photo with both a cat and a dog is neither's.
    """
    paired_photos, paired_targets = photos.copy(), targets.copy()
    for index in np.flatnonzero(filed & (random.random(len(photos)) < share)):
        others = np.flatnonzero(filed & (targets != targets[index]).any(axis=1))
        if not len(others):
            continue
        other = random.choice(others)
        paired_photos[index] = _side_by_side(photos[index], photos[other], random)
        paired_targets[index] = (targets[index] + targets[other]) / 2
    return paired_photos, paired_targets


def _side_by_side(photo: Pixels, other: Pixels, random: np.random.Generator) -> Pixels:
    size = photo.shape[0]
    first = round(size * random.uniform(0.4, 0.6))
    stacked = random.random() < 0.5
    halves = [
        Image.fromarray(half).resize(
            (size, part) if stacked else (part, size), Image.Resampling.BILINEAR
        )
        for half, part in ((photo, first), (other, size - first))
    ]
    return np.concatenate([np.asarray(half) for half in halves], axis=0 if stacked else 1)


def _augment_one(
    photo: Pixels,
    size: int,
    augmentation: Augmentation,
    random: np.random.Generator,
    grounds: Pixels | None,
) -> Pixels:
    if random.random() < augmentation.shrunk:
        image = _shrunk(photo, size, augmentation, random, grounds)
    else:
        image = _cropped(photo, size, augmentation, random)
    if augmentation.rotation:
        image = _rotated(image, random.uniform(-augmentation.rotation, augmentation.rotation))
    if augmentation.flip and random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if random.random() < augmentation.turned:
        image = image.transpose(_TURNS[random.integers(len(_TURNS))])
    matrix = _recolouring(augmentation, float(photo.mean()), random)
    image = image.convert("RGB", tuple(matrix.ravel().tolist()))
    return np.asarray(degrade(image, augmentation, random))


def _cropped(
    photo: Pixels, size: int, augmentation: Augmentation, random: np.random.Generator
) -> Image.Image:
    side = photo.shape[0]
    area = random.uniform(augmentation.min_area, 1.0)
    stretch = _stretch(augmentation, random)
    width = side * min(1.0, math.sqrt(area) * stretch)
    height = side * min(1.0, math.sqrt(area) / stretch)
    left = random.uniform(0.0, side - width)
    top = random.uniform(0.0, side - height)
    # Pillow averages when it shrinks, as it does for serving
    return Image.fromarray(photo).resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )


def _rotated(image: Image.Image, degrees: float) -> Image.Image:
    """Turn an image about its middle, enlarged so far that no corner is empty."""
    side = image.width
    angle = math.radians(degrees)
    # the turned square that lies within the image has sides of so much of the image's
    scale = 1 / (abs(math.cos(angle)) + abs(math.sin(angle)))
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    middle = side / 2
    across = (cos, sin, middle * (1 - cos - sin))
    down = (-sin, cos, middle * (1 + sin - cos))
    return image.transform(
        image.size, Image.Transform.AFFINE, (*across, *down), Image.Resampling.BILINEAR
    )


def _shrunk(
    photo: Pixels,
    size: int,
    augmentation: Augmentation,
    random: np.random.Generator,
    grounds: Pixels | None,
) -> Image.Image:
    """Return the whole photo on 35 to 85 % of the side, on a part of another or a plain ground."""
    if grounds is not None and len(grounds) and random.random() < 0.5:
        ground = grounds[random.integers(len(grounds))]
        image = _cropped(ground, size, Augmentation(min_area=0.25), random)
    else:
        image = Image.new("RGB", (size, size), tuple(random.integers(0, 256, 3).tolist()))
    share = random.uniform(0.35, 0.85)
    stretch = _stretch(augmentation, random)
    width, height = (min(size, round(size * share * by)) for by in (stretch, 1 / stretch))
    small = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR)
    corner = (int(random.integers(size - width + 1)), int(random.integers(size - height + 1)))
    image.paste(small, corner)
    return image


def _stretch(augmentation: Augmentation, random: np.random.Generator) -> float:
    return math.exp(random.uniform(-0.5, 0.5) * math.log(augmentation.aspect))


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
    if random.random() < augmentation.grey:
        saturation = 0.0
    mixing = saturation * np.eye(3) + (1.0 - saturation) * np.tile(_LUMA, (3, 1))
    offset = np.full((3, 1), (1.0 - contrast) * brightness * mean)
    return np.hstack([brightness * contrast * mixing, offset])
