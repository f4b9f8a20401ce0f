"""Heatmaps: where in a photo a class is, painted over the photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.images.decode import open_image

Map = npt.NDArray[np.float32]

# From nothing to most: where there is nothing the photo stays, darkened.
_COLOURS = ((0.0, (20, 20, 60)), (0.5, (190, 40, 90)), (0.8, (250, 140, 20)), (1.0, (255, 240, 90)))
_STEPS = 128  # pixels to a side that the colours are worked out for
_OPACITY = (0.45, 0.6)  # where there is nothing, and where there is most


def class_map(activation: Map, index: int) -> Map:
    """Compute where in the photo the network finds a class rather than the others.

    After Zhou et al., "Learning Deep Features for Discriminative Localization", 2016: the dense
    layer applied at each place. The mean of the other classes is taken off, since a softmax does
    not change if all logits rise together.

    `activation` has the shape `(h, w, classes)`, or `(h, w, 1)` for two classes and one
    sigmoid; `index` is the class.

    Returns: shape `(h, w)`, from 0, the least, to 1, the most; all 0 if no place differs.
    """
    if activation.shape[-1] == 1:
        strength = activation[..., 0] if index == 1 else -activation[..., 0]
    else:
        others = np.delete(activation, index, axis=-1)
        strength = activation[..., index] - others.mean(axis=-1)
    low, high = float(strength.min()), float(strength.max())
    if high - low < 1e-6:
        return np.zeros_like(strength)
    return ((strength - low) / (high - low)).astype(np.float32)


def painted(source: Path | bytes, heat: Map, *, side: int) -> Image.Image:
    """Paint a map over a photo, shown at most `side` pixels wide and high.

    Raises UnreadableImage.
    """
    image = open_image(source, min_side=side)
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return overlay(image, heat)


def overlay(photo: Image.Image, heat: Map) -> Image.Image:
    """Paint a map as `class_map` gives it over an upright RGB photo, whatever its size."""
    small = Image.fromarray(heat).resize((_STEPS, _STEPS), Image.Resampling.BICUBIC)
    share = np.clip(np.asarray(small), 0, 1)
    at = [where for where, _ in _COLOURS]
    bands = [np.interp(share, at, [rgb[band] for _, rgb in _COLOURS]) for band in range(3)]
    bands.append(np.interp(share, (0, 1), _OPACITY) * 255)
    painted = Image.fromarray(np.stack(bands, axis=-1).round().astype(np.uint8), mode="RGBA")
    # the photo is large, the map is not: Pillow blends in 8 bits
    painted = painted.resize(photo.size, Image.Resampling.BICUBIC)
    mixed = photo.copy()
    mixed.paste(painted, mask=painted)
    return mixed
