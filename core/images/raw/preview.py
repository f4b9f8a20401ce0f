"""A RAW file's own JPEG that shows the whole picture, large enough to be judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from core.images.raw.canon_cr3 import cr3_contents
from core.images.raw.fujifilm_raf import raf_contents
from core.images.raw.jpeg import JpegHeader, read_jpeg_header
from core.images.raw.kinds import CANON_CR3, FUJIFILM_RAF, HEADER_BYTES, raw_kind
from core.images.raw.source import Contents, Size, Source
from core.images.raw.tiff_based import tiff_contents

_LEAST_LONG_SIDE = 1000  # pixels
_ASPECT_TOLERANCE = 0.01  # of the sensor's: makers crop a few columns


@dataclass(frozen=True, slots=True)
class Preview:
    """Where a RAW file's JPEG lies, its size as stored, and how to turn it.

    The orientation (EXIF, 1 to 8) is the only one to apply, in place of any in the JPEG's EXIF.
    """

    offset: int
    length: int
    width: int
    height: int
    orientation: int


def full_size_preview(file: BinaryIO) -> Preview | None:
    """Find the largest JPEG of a RAW file with the sensor's aspect and 1,000 px or more.

    The aspect is compared with the sensor's as the camera crops it, within 1 %, sides swapped or
    not. None if there is no such JPEG, if the sensor's aspect is not stated, or if the file is
    no RAW. Only the JPEG's header is read: its data may still be damaged. Raises OSError only.
    """
    source = Source(file)
    contents = _contents(source)
    if contents is None or contents.sensor is None:
        return None
    largest: Preview | None = None
    for span in dict.fromkeys(contents.jpegs):
        header = read_jpeg_header(source, span)
        if header is None or not _shows_all(header, contents.sensor):
            continue
        if largest is None or header.width * header.height > largest.width * largest.height:
            turn = _orientation(header, contents.sensor, contents.orientation)
            largest = Preview(span.offset, span.length, header.width, header.height, turn)
    return largest


def _contents(source: Source) -> Contents | None:
    kind = raw_kind(source.at(0, min(HEADER_BYTES, source.size)) or b"")
    if kind == CANON_CR3:
        return cr3_contents(source)
    if kind == FUJIFILM_RAF:
        return raf_contents(source)
    return tiff_contents(source)


def _shows_all(header: JpegHeader, sensor: Size) -> bool:
    if not header.is_photo or max(header.width, header.height) < _LEAST_LONG_SIDE:
        return False
    shown = max(header.width, header.height) / min(header.width, header.height)
    return abs(shown / (max(sensor) / min(sensor)) - 1) <= _ASPECT_TOLERANCE


def _orientation(header: JpegHeader, sensor: Size, stated: int | None) -> int:
    """Return how to turn a preview.

    The file's own statement is for images as the sensor lay. It is not for a JPEG that was turned
    already (phones' DNG), nor is there one in RAF: there the JPEG's EXIF counts.
    """
    turned = (header.width - header.height) * (sensor[0] - sensor[1]) < 0
    return header.orientation or 1 if stated is None or turned else stated
