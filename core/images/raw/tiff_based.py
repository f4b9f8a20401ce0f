"""RAW files that are TIFF or nearly so: DNG, CR2, NEF, NRW, ARW, ORF, RW2, PEF, SRW.

Tag numbers and where makers put their previews are as ExifTool documents them
(https://exiftool.org/TagNames/), DNG's as in Adobe's specification 1.7.
"""

from __future__ import annotations

from core.images.raw.contents import Contents, Size, Span, largest, positive, unless_damaged
from core.images.raw.directories import (
    OLYMPUS,
    PANASONIC,
    TIFF,
    directory_at,
    number,
    numbers,
    open_tiff,
    pointed_to,
    walk,
)
from core.images.raw.kinds import (
    CANON_CR2,
    COMPRESSION,
    holds_sensor,
    make,
)
from core.images.structure.base import Order, Source
from core.images.structure.jpeg import LOSSLESS, Frame, read_frame
from core.images.structure.tiff import Directories, Directory

ORIENTATION = 0x0112  # EXIF 2.32, table 4
_JPEG_COMPRESSIONS = (6, 7)  # old-style JPEG (CR2's preview is one), JPEG
_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101
_STRIP_OFFSETS, _STRIP_BYTE_COUNTS = 0x0111, 0x0117
_TILE_OFFSETS, _TILE_BYTES = 0x0144, 0x0145
_JPEG_FORMAT, _JPEG_FORMAT_LENGTH = 0x0201, 0x0202  # JPEGInterchangeFormat, -Length
_EXIF_IFD, _MAKER_NOTE = 0x8769, 0x927C
_DEFAULT_SCALE, _DEFAULT_CROP_SIZE, _ACTIVE_AREA = 0xC61E, 0xC620, 0xC68D  # DNG

_PANASONIC_BORDERS = (0x0004, 0x0005, 0x0006, 0x0007)  # Sensor Top, Left, Bottom, Right Border
_PANASONIC_JPEG = 0x002E  # JpgFromRaw
_OLYMPUS_CAMERA_SETTINGS = 0x2020
_OLYMPUS_PREVIEW_START, _OLYMPUS_PREVIEW_LENGTH = 0x0101, 0x0102  # of CameraSettings
_CANON_SENSOR_INFO = 0x00E0  # of the maker note; values 5 to 8: left, top, right, bottom border


def tiff_contents(source: Source, kind: str) -> Contents | None:
    """Return what a TIFF-based RAW file of a kind holds; None if it has no directory."""
    tiff = open_tiff(source)
    directories = walk(tiff) if tiff else []
    if tiff is None or not directories:
        return None
    first = directories[0]
    jpegs = [span for one in directories for span in _jpegs_of(one, make(first))]
    if tiff.magic == PANASONIC:
        sensor = _panasonic_sensor(first)
        own = _bytes_of(first, _PANASONIC_JPEG)
    elif tiff.magic in OLYMPUS:
        sensor = _stated_size(first)
        own = _olympus_jpeg(first)
    else:
        is_cr2 = kind == CANON_CR2
        sensor = _canon_sensor(first, directories) if is_cr2 else _largest_sensor(directories)
        own = None
    found = [*jpegs, own] if own else jpegs
    # others state sizes that are not the file's
    is_cut = tiff.magic == TIFF and any(
        span.is_cut(source.size) for one in directories for span in _sensor_data(one, make(first))
    )
    return Contents(tuple(found), sensor, number(first, ORIENTATION), is_cut)


def _sensor_data(directory: Directory, maker: str) -> list[Span]:
    """Return where the strips or tiles of a sensor's data lie."""
    if not holds_sensor(directory, maker):
        return []
    found = []
    for starts, lengths in ((_STRIP_OFFSETS, _STRIP_BYTE_COUNTS), (_TILE_OFFSETS, _TILE_BYTES)):
        offsets, sizes = numbers(directory, starts), numbers(directory, lengths)
        found += [Span(int(at), int(size)) for at, size in zip(offsets, sizes, strict=False)]
    return found


def canon_sensor_info(maker_note: Directory) -> Size | None:
    """Return the sensor's size within its borders, from Canon's SensorInfo."""
    info = numbers(maker_note, _CANON_SENSOR_INFO)
    if len(info) < 9:
        return None
    left, top, right, bottom = info[5:9]
    return positive(right - left + 1, bottom - top + 1)  # borders are the last pixels inside


def _jpegs_of(directory: Directory, maker: str) -> list[Span]:
    """Return a directory's JPEGs: a stream of its own, and an image that is one strip of JPEG."""
    pairs = [(_JPEG_FORMAT, _JPEG_FORMAT_LENGTH)]
    if number(directory, COMPRESSION) in _JPEG_COMPRESSIONS and not holds_sensor(directory, maker):
        pairs.append((_STRIP_OFFSETS, _STRIP_BYTE_COUNTS))
    found = []
    for start, length in pairs:
        offset, size = number(directory, start), number(directory, length)
        if offset is not None and size is not None:
            found.append(Span(offset, size))
    return found


def _largest_sensor(directories: list[Directory]) -> Size | None:
    maker = make(directories[0])
    return largest(_cropped_size(one) for one in directories if holds_sensor(one, maker))


def _cropped_size(directory: Directory) -> Size | None:
    """Return what is to be shown of a sensor's image, by DNG's tags (newer ARW has them too)."""
    crop = numbers(directory, _DEFAULT_CROP_SIZE)
    area = numbers(directory, _ACTIVE_AREA)  # top, left, bottom, right
    if len(crop) == 2:
        size = positive(crop[0], crop[1])
    elif len(area) == 4:
        size = positive(area[3] - area[1], area[2] - area[0])
    else:
        size = _stated_size(directory)
    scale = numbers(directory, _DEFAULT_SCALE)  # pixels that are not square
    if size is None or len(scale) != 2:
        return size
    return positive(size[0] * scale[0], size[1] * scale[1])


def _stated_size(directory: Directory) -> Size | None:
    width, height = number(directory, _IMAGE_WIDTH), number(directory, _IMAGE_LENGTH)
    return positive(width or 0, height or 0)


def _panasonic_sensor(first: Directory) -> Size | None:
    top, left, bottom, right = (number(first, tag) or 0 for tag in _PANASONIC_BORDERS)
    return positive(right - left, bottom - top)


def _bytes_of(directory: Directory, tag: int) -> Span | None:
    """Return where a tag's values stand, as many bytes as there are values."""
    field = directory.fields.get(tag)
    return Span(field.offset, field.count) if field else None


def _maker_note(first: Directory) -> Span | None:
    exif = pointed_to(first, _EXIF_IFD)
    return _bytes_of(exif, _MAKER_NOTE) if exif else None


@unless_damaged
def _olympus_jpeg(first: Directory) -> Span | None:
    """Return the preview that the maker note's CameraSettings point to.

    Offsets count from the note's start in all but the oldest notes.
    """
    source, note = first.tiff.source, _maker_note(first)
    if note is None:
        return None
    head = source.at(note.offset, 16)
    own = source.part(note.offset, source.size - note.offset)
    if head.startswith(b"OLYMPUS\0"):
        tiff, offset = Directories(own, _order(head[8:10])), 12
    elif head.startswith(b"OM SYSTEM\0"):
        tiff, offset = Directories(own, _order(head[12:14])), 16
    elif head.startswith(b"OLYMP\0"):
        tiff, offset = first.tiff, note.offset + 8
    else:
        return None
    main = directory_at(tiff, offset)
    settings = pointed_to(main, _OLYMPUS_CAMERA_SETTINGS) if main else None
    start = number(settings, _OLYMPUS_PREVIEW_START) if settings else None
    length = number(settings, _OLYMPUS_PREVIEW_LENGTH) if settings else None
    return None if start is None or length is None else Span(tiff.source.start + start, length)


def _order(mark: bytes) -> Order:
    return "big" if mark == b"MM" else "little"


def _canon_sensor(first: Directory, directories: list[Directory]) -> Size | None:
    """Return a CR2's sensor size, by SensorInfo, else by the lossless JPEG that holds its data.

    That JPEG has two or four columns of the sensor as its components, and borders as well.
    """
    note = _maker_note(first)
    main = directory_at(first.tiff, note.offset) if note else None
    size = canon_sensor_info(main) if main else None
    if size is not None:
        return size
    for directory in directories:
        for span in _jpegs_of(directory, ""):
            frame = frame_of(first.tiff.source, span)
            if frame and frame.marker == LOSSLESS and frame.components in (2, 4):
                return positive(frame.width * frame.components, frame.height)
    return None


@unless_damaged
def frame_of(source: Source, span: Span) -> Frame | None:
    """Return the frame header of the JPEG in a span that lies in the file."""
    return read_frame(source.part(*span))
