"""A JPEG's size and orientation, from its first segments (ITU T.81, annex B)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from core.images.raw.source import Source, Span
from core.images.raw.tiff import read_directory, read_header

ORIENTATION = 0x0112  # EXIF 2.32, table 4

_MOST_SEGMENTS = 256
_FILL, _APP1 = 0xFF, 0xE1
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM, RST0 to RST7
_DECODED = frozenset({0xC0, 0xC1, 0xC2})  # SOF0 baseline, SOF1 extended, SOF2 progressive
_LOSSLESS = 0xC3  # SOF3: a sensor's data in CR2 and DNG
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # without DHT, JPG, DAC
_ENDS = frozenset({0xD9, 0xDA})  # EOI, SOS: no frame header came before


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What a JPEG's frame header says, and its own EXIF orientation if it has one."""

    marker: int
    precision: int
    width: int
    height: int
    components: int
    orientation: int | None

    @property
    def is_photo(self) -> bool:
        """Tell whether common decoders show it: SOF0 to SOF2, 8 bits, grey or three colours."""
        return (
            self.marker in _DECODED
            and self.precision == 8
            and self.components in (1, 3)
            and min(self.width, self.height) > 0
        )

    @property
    def is_lossless(self) -> bool:
        """Tell whether it is lossless JPEG, in which cameras store the sensor's data."""
        return self.marker == _LOSSLESS


def valid_orientation(value: int | None) -> int | None:
    """Return an EXIF orientation if it is one, 1 to 8."""
    return value if value is not None and 1 <= value <= 8 else None


def read_jpeg_header(source: Source, span: Span) -> JpegHeader | None:
    """Return the header of the JPEG in a span; None if it is none or the file ends before it."""
    if not source.holds(span) or source.at(span.offset, 3) != b"\xff\xd8\xff":
        return None
    place, end = span.offset + 2, span.offset + span.length
    exif_at: int | None = None
    for _ in range(_MOST_SEGMENTS):
        head = source.at(place, 4)
        if head is None or head[0] != 0xFF or head[1] in _ENDS or place + 4 > end:
            return None
        marker = head[1]
        if marker == _FILL or marker in _WITHOUT_LENGTH:
            place += 1 if marker == _FILL else 2
            continue
        if marker in _FRAMES:
            return _frame_header(source, place, exif_at)
        if marker == _APP1 and exif_at is None and source.at(place + 4, 6) == b"Exif\0\0":
            exif_at = place + 10
        place += 2 + max(2, int.from_bytes(head[2:], "big"))
    return None


def _frame_header(source: Source, place: int, exif_at: int | None) -> JpegHeader | None:
    head = source.at(place, 10)
    if head is None:
        return None
    precision, height, width, components = struct.unpack(">BHHB", head[4:])
    orientation = None if exif_at is None else _exif_orientation(source, exif_at)
    return JpegHeader(head[1], precision, width, height, components, orientation)


def _exif_orientation(source: Source, place: int) -> int | None:
    header = read_header(source, place)
    directory = read_directory(header[0], header[2]) if header else None
    return valid_orientation(directory.number(ORIENTATION)) if directory else None
