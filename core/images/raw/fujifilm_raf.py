"""Fujifilm's RAF: a header, a JPEG as the camera would have written it, and the sensor's data.

Offsets and tags are as ExifTool documents them (https://exiftool.org/TagNames/FujiFilm.html).
Of the SuperCCD cameras those that store half the rows (S5 Pro: 4256 x 1424) have no preview here.
"""

from __future__ import annotations

import struct
from contextlib import suppress

from core.images.raw.contents import Contents, Size, Span, positive
from core.images.structure.base import Refusal, Source

_DIRECTORY = 84  # offset and length of the JPEG, of the records, of the data, big-endian
_MOST_RECORDS = 256
_FULL_SIZE, _CROPPED_SIZE, _IMAGE_SIZE = 0x0100, 0x0111, 0x0121  # RawImage...; height, width
_LAYOUT = 0x0130  # FujiLayout
_ROTATED = 0x80  # of its first byte: a SuperCCD, whose rows lie at 45 degrees


def raf_contents(source: Source) -> Contents:
    """Return a RAF's JPEG and its cropped sensor size; the orientation is in the JPEG's EXIF.

    Raises Refusal.
    """
    offset, length, records, _, *data = struct.unpack(">6I", source.at(_DIRECTORY, 24))
    is_cut = Span(*data).is_cut(source.size)
    return Contents((Span(offset, length),), _sensor(_records(source, records)), is_cut=is_cut)


def _records(source: Source, offset: int) -> dict[int, bytes]:
    """Return the first four bytes of each record."""
    found: dict[int, bytes] = {}
    with suppress(Refusal):
        count = source.number(offset, 4)
        offset += 4
        for _ in range(min(count, _MOST_RECORDS)):
            tag, length = struct.unpack(">HH", source.at(offset, 4))
            found.setdefault(tag, source.at(offset + 4, min(length, 4)))
            offset += 4 + length
    return found


def _sensor(records: dict[int, bytes]) -> Size | None:
    if records.get(_LAYOUT, b"\0")[:1] >= bytes([_ROTATED]):
        size = _size(records.get(_IMAGE_SIZE, b""))
        return (size[0] / 2, size[1] * 2) if size else None
    sizes = (_size(records.get(tag, b"")) for tag in (_CROPPED_SIZE, _IMAGE_SIZE, _FULL_SIZE))
    return next((size for size in sizes if size), None)


def _size(value: bytes) -> Size | None:
    if len(value) < 4:
        return None
    height, width = struct.unpack(">HH", value)
    return positive(width, height)
