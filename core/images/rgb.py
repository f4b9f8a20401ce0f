"""Images of any of Pillow's modes made RGB, and turned upright."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

ORIENTATION = 0x0112  # EXIF 2.32, table 4
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LARGE_PIXELS = 2_000_000  # made smaller before it is turned, and handed out
_FULL = 65_535.0
_ROWS = 256  # at once: so many take little memory, whatever the image
_SAMPLES = 1_000_000  # pixels that the range is computed from
_PERCENTILES = (0.1, 99.9)


def upright(image: Image.Image, orientation: int, min_side: int) -> Image.Image:
    """Turn an image as EXIF says; a large one is made smaller first, for that takes as much."""
    smaller = min(image.size) // (2 * min_side)
    if smaller > 1 and image.width * image.height > _LARGE_PIXELS:
        image = image.reduce(smaller)
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def to_rgb(image: Image.Image, *, white_is_zero: bool = False) -> Image.Image:
    """Convert an image; what is transparent becomes white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_from_wide(image, white_is_zero=white_is_zero)
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        ground = Image.new("RGB", rgba.size, "white")
        ground.paste(rgba, mask=rgba)
        return ground
    return image.convert("RGB")


def _grey_from_wide(image: Image.Image, *, white_is_zero: bool) -> Image.Image:
    """Scale 16-bit, 32-bit and float greys to 8 bits; convert() would clip them to white.

    The range is that of 16 bits where the values fill a good part of it; those of 10 or 12 bits,
    of floats from 0 to 1 and of whatever else are stretched between percentiles, as viewers do.
    Returns: RGB, with what the file calls transparent in white.
    """
    values = np.asarray(image)
    low, high = _range(values)
    grey = np.empty(values.shape, np.uint8)
    for start in range(0, values.shape[0], _ROWS):
        rows = _finite(values[start : start + _ROWS], low, high)
        scaled = ((rows - low) * (255.0 / max(high - low, 1e-12))).round()
        grey[start : start + _ROWS] = 255 - scaled if white_is_zero else scaled
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey, mode="L").convert("RGB")


def _range(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    step = max(1, values.size // _SAMPLES)
    some = values.reshape(-1)[::step]
    some = some[np.isfinite(some)].astype(np.float64)
    if not len(some):
        return 0.0, _FULL
    low, high = (float(value) for value in np.percentile(some, _PERCENTILES))
    if low >= 0 and _FULL / 4 <= high <= _FULL:
        return 0.0, _FULL
    if high <= low:  # one grey: it stays as bright as it is
        return (0.0, _FULL) if 0 <= low <= _FULL and low > 1 else (0.0, max(1.0, abs(high)))
    return low, high


def _finite(values: npt.NDArray[np.generic], low: float, high: float) -> npt.NDArray[np.float64]:
    """Bring values into a range, those that are no numbers, too."""
    with np.errstate(invalid="ignore"):  # of signalling NaNs
        numbers = values.astype(np.float64)
    clipped: npt.NDArray[np.float64] = np.clip(np.nan_to_num(numbers, nan=low), low, high)
    return clipped
