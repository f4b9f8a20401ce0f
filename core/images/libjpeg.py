"""Decoding a JPEG, with what its decoder complains of."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image
from simplejpeg import decode_jpeg

from core.images.rgb import ORIENTATION
from core.images.structure.base import cut
from core.images.structure.jpeg import Jpeg

# libjpeg's warnings (jerror.h) of data that is not there or makes no sense; it has others, of
# details that do the picture no harm
_DAMAGED = re.compile(
    r"premature end|bad Huffman code|bad arithmetic code|instead of RST", re.IGNORECASE
)
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_HARMLESS = re.compile(
    r"^(Corrupt JPEG data|Inconsistent progression|Invalid SOS|Unknown Adobe"
    r"|Warning)"
)
_ZEROS = 512  # bytes: a copy that was never filled, closed with an end marker
# Where data is missing or wrong the decoder goes on out of step and is done too early; some cameras
# leave a few bytes, or many of the same.
_OUT_OF_STEP, _FILLERS = 128, 8  # bytes, and values among them


def jpeg_image(content: bytes, jpeg: Jpeg, min_side: int) -> Image.Image:
    """Decode a JPEG at the scale that `Jpeg.scale` gives. Raises Refusal for one that is damaged.

    Returns: RGB or L, or CMYK. Raises whatever Pillow does for what libjpeg-turbo refuses.
    """
    if jpeg.frame.components not in (1, 3):
        image = _by_pillow(content, jpeg, min_side)
        if jpeg.frame.components == 4:
            _decoded(content, jpeg, "CMYK", (jpeg.frame.width // 8, jpeg.frame.height // 8))
        return image
    scale = jpeg.scale(min_side)
    sides = -(-jpeg.frame.width // scale), -(-jpeg.frame.height // scale)
    colours = "GRAY" if jpeg.frame.components == 1 else "RGB"
    pixels = _decoded(content, jpeg, colours, sides)
    if pixels is None and jpeg.besides:
        lean = _lean(content, jpeg)
        data_at = jpeg.data_at - (len(content) - len(lean))
        pixels = _decoded(lean, replace(jpeg, data_at=data_at), colours, sides)
    if pixels is None:
        return _by_pillow(content, jpeg, min_side)
    return Image.fromarray(pixels[..., 0] if colours == "GRAY" else pixels)


def _decoded(
    content: bytes, jpeg: Jpeg, colours: str, sides: tuple[int, int]
) -> npt.NDArray[np.uint8] | None:
    """Decode with sides of at least so many pixels; None for what libjpeg-turbo refuses.

    Raises Refusal for a JPEG that is damaged.
    """

    def decode(content: bytes, *, strict: bool) -> npt.NDArray[np.uint8]:
        pixels: npt.NDArray[np.uint8] = decode_jpeg(
            content, colours, min_width=sides[0], min_height=sides[1], strict=strict
        )
        return pixels

    try:
        return decode(content, strict=True)
    except ValueError as error:
        complaint = str(error)
    # bytes before the end marker are the last complaint: any before shows once they are out
    end = content.find(b"\xff\xd9", jpeg.data_at)
    while (left_over := _LEFT_OVER.search(complaint)) and end > 0:
        start = max(jpeg.data_at, end - int(left_over[1]))
        rest = content[start:end]
        if len(rest) >= _ZEROS and not any(rest):
            raise cut("JPEG: its image ends in nothing but zeros")
        if len(rest) >= _OUT_OF_STEP and len(set(rest)) > _FILLERS:
            raise cut("JPEG: it has more data than its image needs")
        content, end = content[:start] + content[end:], start
        try:
            return decode(content, strict=True)
        except ValueError as error:
            complaint = str(error)
    if _DAMAGED.search(complaint):
        raise cut(f"JPEG: {complaint}")
    if not _HARMLESS.match(complaint):
        return None
    try:
        return decode(content, strict=False)
    except ValueError:  # what is wrong with its headers stops turbojpeg's interface all the same
        return None


def _by_pillow(content: bytes, jpeg: Jpeg, min_side: int) -> Image.Image:
    """Decode what turbojpeg's interface does not: CMYK, lossless."""
    image = Image.open(io.BytesIO(_lean(content, jpeg)), formats=("JPEG",))
    if jpeg.scale(min_side) > 1:  # fails on lossless ones
        image.draft("RGB", (min_side, min_side))
    image.load()
    return image


def _lean(content: bytes, jpeg: Jpeg) -> bytes:
    """Take out of a JPEG what its pixels do not need: where that is odd, decoders give up."""
    starts = [0, *(end for _, end in jpeg.besides)]
    ends = [*(start for start, _ in jpeg.besides), len(content)]
    return b"".join(content[start:end] for start, end in zip(starts, ends, strict=True))


def orientation_of(jpeg: Jpeg) -> int:
    """Return EXIF's orientation, else XMP's; 1, upright, if neither has one."""
    if jpeg.exif is not None:
        exif = Image.Exif()
        with suppress(Exception):  # a broken EXIF block does not make the pixels unreadable
            exif.load(jpeg.exif)
            return int(exif[ORIENTATION])
    return jpeg.xmp_orientation or 1
