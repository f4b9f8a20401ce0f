"""A RAW file's own JPEG that shows the whole picture, large enough to be judged by."""

from __future__ import annotations

from typing import NamedTuple

from core.images.raw.canon_cr3 import cr3_contents
from core.images.raw.contents import Contents, Size, unless_damaged
from core.images.raw.fujifilm_raf import raf_contents
from core.images.raw.kinds import CANON_CR3, FUJIFILM_RAF
from core.images.raw.tiff_based import frame_of, tiff_contents
from core.images.structure.base import Source
from core.images.structure.jpeg import Frame

_DECODED = frozenset({0xC0, 0xC1, 0xC2})  # SOF0 baseline, SOF1 extended, SOF2 progressive
_LEAST_LONG_SIDE = 1000  # pixels
_ASPECT_TOLERANCE = 0.01  # of the sensor's: makers crop a few columns


class Preview(NamedTuple):
    """Where a RAW file's JPEG lies, its size as stored, and how to turn it.

    An orientation (EXIF, 1 to 8) applies in place of any in the JPEG's EXIF.
    """

    offset: int
    length: int
    width: int
    height: int
    orientation: int | None


def full_size_preview(source: Source, kind: str) -> Preview | None:
    """Find the largest JPEG of a RAW file of a kind with the sensor's aspect and 1,000 px or more.

    The aspect is compared with the sensor's as the camera crops it, within 1 %, sides swapped or
    not. None if there is no such JPEG, or if the sensor's aspect is not stated. Only the JPEG's
    header is read: its data may still be damaged.
    """
    contents = _contents(source, kind)
    if contents is None or contents.sensor is None:
        return None
    found = []
    for span in dict.fromkeys(contents.jpegs):
        frame = frame_of(source, span)
        if frame is not None and _shows_all(frame, contents.sensor):
            turn = _orientation(frame, contents.sensor, contents.orientation)
            found.append(Preview(*span, frame.width, frame.height, turn))
    return max(found, key=lambda one: one.width * one.height, default=None)


def is_cut(source: Source, kind: str, preview: Preview | None) -> bool:
    """Return whether a RAW file ends before the sensor's data does, or the JPEG that it needs."""
    contents = _contents(source, kind)
    if contents is None:
        return False
    needed = contents.jpegs if preview is None else ()
    return contents.is_cut or any(span.is_cut(source.size) for span in needed)


@unless_damaged
def _contents(source: Source, kind: str) -> Contents | None:
    if kind == CANON_CR3:
        return cr3_contents(source)
    if kind == FUJIFILM_RAF:
        return raf_contents(source)
    return tiff_contents(source, kind)


def _shows_all(frame: Frame, sensor: Size) -> bool:
    """Return whether common decoders show a JPEG, and whether it shows the whole picture."""
    is_photo = frame.marker in _DECODED and frame.components in (1, 3)
    long, short = max(frame.width, frame.height), min(frame.width, frame.height)
    if not is_photo or long < _LEAST_LONG_SIDE:
        return False
    return abs(long / short / (max(sensor) / min(sensor)) - 1) <= _ASPECT_TOLERANCE


def _orientation(frame: Frame, sensor: Size, stated: int | None) -> int | None:
    """Return how the file says that a preview is to be turned.

    That is for images as the sensor lay. It is not for a JPEG that was turned already (phones'
    DNG), nor is there one in RAF: there the JPEG's EXIF counts.
    """
    is_turned = (frame.width - frame.height) * (sensor[0] - sensor[1]) < 0
    return stated if stated in range(1, 9) and not is_turned else None
