"""Arrays drawn as small pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from core.model.heatmap import overlay

Floats = npt.NDArray[np.floating]

# from nothing to most, told apart without colour, too: lightness rises all the way
_RISING = (
    (0.0, (13, 17, 38)),
    (0.25, (58, 33, 104)),
    (0.5, (146, 47, 104)),
    (0.75, (231, 105, 60)),
    (1.0, (255, 238, 170)),
)
# from against to for
_SIGNED = ((0.0, (180, 80, 15)), (0.5, (247, 247, 247)), (1.0, (31, 95, 153)))
_LEAST = 1e-9


def map_picture(values: Floats, *, side: int) -> Image.Image:
    """Draw a feature map, `(h, w)`, from its least, dark, to its most; at least `side` pixels."""
    return _enlarged(_coloured(spread_out(values), _RISING), side)


def spread_out(values: Floats) -> npt.NDArray[np.float32]:
    """Bring values to 0, the least, to 1, the most."""
    low, high = float(values.min()), float(values.max())
    return ((values - low) / max(high - low, _LEAST)).astype(np.float32)


def signed_picture(values: Floats, *, side: int) -> Image.Image:
    """Draw values on both sides of 0: blue for, orange against."""
    most = max(float(np.abs(values).max()), _LEAST)
    return _enlarged(_coloured(values / (2 * most) + 0.5, _SIGNED), side)


def kernel_picture(kernel: Floats, *, side: int) -> Image.Image:
    """Draw the weights of a filter, `(h, w, 3)`: grey is 0, and each colour its own weights."""
    most = max(float(np.abs(kernel).max()), _LEAST)
    pixels = np.clip((kernel / (2 * most) + 0.5) * 255, 0, 255).round().astype(np.uint8)
    return _enlarged(Image.fromarray(pixels), side)


def over_photo(photo: Image.Image, values: Floats) -> Image.Image:
    """Show where in the photo values are high, squashed as the network sees it."""
    return overlay(photo, spread_out(values))


def framed(photo: Image.Image, part: tuple[float, float, float, float]) -> Image.Image:
    """Draw a frame around a part, given by its edges from 0 to 1."""
    shown = photo.copy()
    left, top, right, bottom = part
    box = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
    drawing = ImageDraw.Draw(shown)
    line = max(1, max(photo.size) // 240)
    drawing.rectangle(box, outline=(0, 0, 0), width=2 * line)
    drawing.rectangle(box, outline=(255, 255, 255), width=line)
    return shown


def _coloured(
    shares: Floats, colours: tuple[tuple[float, tuple[int, int, int]], ...]
) -> Image.Image:
    at = [where for where, _ in colours]
    bands = [np.interp(shares, at, [rgb[band] for _, rgb in colours]) for band in range(3)]
    return Image.fromarray(np.stack(bands, axis=-1).round().astype(np.uint8))


def _enlarged(image: Image.Image, side: int) -> Image.Image:
    """Enlarge a small image by whole pixels, so that each stays a square."""
    times = max(1, -(-side // max(image.size)))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
