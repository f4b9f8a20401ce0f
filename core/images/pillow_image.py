"""Decoding with Pillow what is no JPEG, with what it complains of though it does no harm."""

from __future__ import annotations

import io
import zlib
from contextlib import nullcontext, suppress

from PIL import Image

from core.images.plan import Plan
from core.images.rgb import ORIENTATION, to_rgb
from core.images.structure.base import cut
from core.runtime.quiet import quiet_native_stderr

_FRAMES, _FRAME_PIXELS = 30, 100_000_000  # of an animation that begins with nothing
_ONE_COLOUR = 8  # of 255: how far the values of a frame with nothing on it lie apart


def pillow_image(content: bytes, plan: Plan) -> tuple[Image.Image, int]:
    """Decode an image.

    Returns: RGB, and EXIF's orientation. Raises Refusal, and whatever Pillow does for what is
    damaged.
    """
    if plan.structure.lean is not None:
        content = plan.structure.lean(content)
    image = _loaded_somehow(content, plan)
    if plan.structure.zeros is not None:
        _check_zeros(content, image, plan, *plan.structure.zeros)
    orientation = 1
    with suppress(Exception):  # a broken EXIF block does not make the pixels unreadable
        orientation = int(image.getexif().get(ORIENTATION, 1))
    return _first_that_shows(image, plan), orientation


def register(format_name: str) -> None:
    """Teach Pillow a format that it does not know by itself: 70 ms that only its photos pay."""
    if format_name == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    elif format_name == "JXL":
        import pillow_jxl  # noqa: F401


def _loaded_somehow(content: bytes, plan: Plan) -> Image.Image:
    """Decode an image, if need be without what is beside it."""
    try:
        return _loaded(content, plan)
    except Exception:
        leaner = _leaner(content, plan)
        if leaner is not None:
            with suppress(Exception):
                return _loaded(leaner, plan)
        raise


def _loaded(content: bytes, plan: Plan) -> Image.Image:
    register(plan.format)
    quiet = quiet_native_stderr if plan.format == "TIFF" else nullcontext
    with quiet():  # libtiff prints what it stumbles over
        image = Image.open(io.BytesIO(content), formats=(plan.format,))
        if plan.structure.halved:  # as Pillow documents it for JPEG 2000
            setattr(image, "reduce", plan.structure.halved)  # noqa: B010
        image.load()
    return image


def _leaner(content: bytes, plan: Plan) -> bytes | None:
    """Take out what is beside the image, which may be what the decoder does not take."""
    if plan.format == "PNG":
        from core.images.structure.png import lean_png

        return lean_png(content)
    if plan.structure.besides:
        changed = bytearray(content)
        for offset in plan.structure.besides:
            changed[offset : offset + 4] = b"skip"
        return bytes(changed)
    return None


def _check_zeros(content: bytes, image: Image.Image, plan: Plan, start: int, end: int) -> None:
    """Raise Refusal if the zeros that an image's data ends in are not its own.

    Its own make a difference: with other bytes in the place of the last of them it is another
    image, or none. Those of a copy that still goes on are many more than the decoder reads.
    """
    middle = (start + end + 1) // 2
    other = content[:middle] + b"\x5a" * (end - middle) + content[end:]
    before = zlib.crc32(image.tobytes())
    try:
        changed = zlib.crc32(_loaded(other, plan).tobytes()) != before
    except Exception:  # what the decoder now stumbles over it had read
        changed = True
    if not changed:
        raise cut("its image ends in nothing but zeros")


def _first_that_shows(image: Image.Image, plan: Plan) -> Image.Image:
    """Return an animation's first frame that is not of one colour; the first if all are."""
    white_is_zero = plan.structure.white_is_zero
    first = to_rgb(image, white_is_zero=white_is_zero)
    if plan.structure.frames == 1 or not _is_of_one_colour(first):
        return first
    first = first.copy()  # the next frame is put into the same image
    for number in range(1, min(_FRAMES, _FRAME_PIXELS // (image.width * image.height))):
        try:
            image.seek(number)
            image.load()
        except Exception:  # the end, or a frame that is damaged: the first is not
            break
        frame = to_rgb(image, white_is_zero=white_is_zero)
        if not _is_of_one_colour(frame):
            return frame
    return first


def _is_of_one_colour(image: Image.Image) -> bool:
    bands = image.resize((64, 64), Image.Resampling.BOX).getextrema()
    return all(high - low <= _ONE_COLOUR for low, high in bands)  # type: ignore[misc]
