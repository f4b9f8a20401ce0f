"""What the model looked at, painted over the photo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Map = npt.NDArray[np.float32]

# From nothing to most: the photo stays, darkened, where the model saw nothing.
_COLOURS = ((0.0, (20, 20, 60)), (0.5, (190, 40, 90)), (0.8, (250, 140, 20)), (1.0, (255, 240, 90)))
_OPACITY = (0.45, 0.6)  # where there is nothing, and where there is most


def class_map(activation: Map, index: int) -> Map:
    """Say where in the photo the network saw a class rather than the others.

    After Zhou et al., "Learning Deep Features for Discriminative Localization", 2016: the dense
    layer applied at each place. The mean of the other classes is taken off, since a softmax does
    not change if all logits rise together.

    `activation` has the shape `(h, w, classes)`, or `(h, w, 1)` for two classes told apart by one
    sigmoid; `index` is the class.

    Returns: shape `(h, w)`, from 0, the least, to 1, the most; all 0 if no place differs.
    """
    if activation.shape[-1] == 1:
        seen = activation[..., 0] if index == 1 else -activation[..., 0]
    else:
        others = np.delete(activation, index, axis=-1)
        seen = activation[..., index] - others.mean(axis=-1)
    low, high = float(seen.min()), float(seen.max())
    if high - low < 1e-6:
        return np.zeros_like(seen)
    return ((seen - low) / (high - low)).astype(np.float32)


def overlay(photo: Image.Image, heat: Map) -> Image.Image:
    """Paint a map as `class_map` gives it over an upright RGB photo, whatever its size."""
    wide = Image.fromarray(heat).resize(photo.size, Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(wide), 0, 1)
    at = [where for where, _ in _COLOURS]
    colour = np.stack(
        [np.interp(strength, at, [rgb[band] for _, rgb in _COLOURS]) for band in range(3)], axis=-1
    )
    opacity = np.interp(strength, (0, 1), _OPACITY)[..., None]
    mixed = np.asarray(photo) * (1 - opacity) + colour * opacity
    return Image.fromarray(mixed.round().astype(np.uint8))
