"""When a photo was taken, as its camera wrote it down."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PIL import Image

from core.images.budget import budget
from core.images.pillow_image import register
from core.images.plan import plan_for
from core.runtime.regular_file import open_regular

_EXIF_IFD = 0x8769
_WHEN_TAKEN = (0x9003, 0x9004)  # DateTimeOriginal, DateTimeDigitized; EXIF 2.32, table 8
_WHEN_CHANGED = 0x0132  # DateTime


def taken_by(exif: Image.Exif) -> datetime | None:
    """Return when a photo was taken by its EXIF, in the camera's time; None if it says nothing."""
    try:
        stated = _times_in(exif)
    except Exception:  # as for `stated_times`
        return None
    for text in stated:
        try:
            return datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue  # "0000:00:00 00:00:00" of a camera whose clock was never set
    return None


def stated_times(photo: Path) -> list[str]:
    """Read what a photo says of when it was taken, as its camera wrote it, the best first."""
    try:
        return _times_in(_exif_of(photo))
    except Exception:  # Pillow raises whatever a broken file makes it stumble over
        return []


def _times_in(exif: Image.Exif) -> list[str]:
    camera = exif.get_ifd(_EXIF_IFD)
    stated = [*(camera.get(tag) for tag in _WHEN_TAKEN), exif.get(_WHEN_CHANGED)]
    return [str(text) for text in stated if text is not None]


def _exif_of(photo: Path) -> Image.Exif:
    """Read what a photo's EXIF says. Raises whatever a broken file makes it raise."""
    with open_regular(photo) as file:
        plan = plan_for(file, photo.name, min_side=1)
        if plan.jpeg is not None:
            exif = Image.Exif()
            exif.load(plan.jpeg.exif or b"")
            return exif
        register(plan.format)
        with budget.taken(plan.bytes_needed), Image.open(photo, formats=(plan.format,)) as image:
            return image.getexif()
