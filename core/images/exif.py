"""When a photo was taken, as its camera wrote it down."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PIL import Image

from core.images.decode import HEADER_BYTES, register_heif, sniff

_EXIF_IFD = 0x8769
_WHEN_TAKEN = (0x9003, 0x9004)  # DateTimeOriginal, DateTimeDigitized; EXIF 2.32, table 8
_WHEN_CHANGED = 0x0132  # DateTime


def taken_at(photo: Path) -> datetime | None:
    """Read when a photo was taken, in the camera's time; None if it does not say."""
    try:
        with photo.open("rb") as file:
            announced = sniff(file.read(HEADER_BYTES))
        if announced is None:
            return None
        if announced == "HEIF":
            register_heif()
        with Image.open(photo, formats=(announced,)) as image:
            exif = image.getexif()
            camera = exif.get_ifd(_EXIF_IFD)
            stated = [*(camera.get(tag) for tag in _WHEN_TAKEN), exif.get(_WHEN_CHANGED)]
    except Exception:  # Pillow raises whatever a broken file makes it stumble over
        return None
    for text in stated:
        try:
            return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue  # missing, or "0000:00:00 00:00:00" of a camera whose clock was never set
    return None
