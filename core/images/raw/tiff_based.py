"""RAW files that are TIFF or nearly so: DNG, CR2, NEF, NRW, ARW, ORF, RW2, PEF, SRW.

Tag numbers and where makers put their previews are as ExifTool documents them
(https://exiftool.org/TagNames/), DNG's as in Adobe's specification 1.7.
"""

from __future__ import annotations

from core.images.raw.jpeg import ORIENTATION, read_jpeg_header, valid_orientation
from core.images.raw.kinds import (
    CANON_CR2,
    COMPRESSION,
    HEADER_BYTES,
    holds_sensor,
    kind_of_directories,
    make,
    raw_kind,
)
from core.images.raw.source import Contents, Size, Source, Span
from core.images.raw.tiff import (
    OLYMPUS,
    PANASONIC,
    TIFF,
    Directory,
    View,
    pointed_to,
    read_directory,
    read_header,
    walk,
)

_JPEG_COMPRESSIONS = (6, 7)  # old-style JPEG (CR2's preview is one), JPEG
_IMAGE_WIDTH, _IMAGE_LENGTH = 0x0100, 0x0101
_STRIP_OFFSETS, _STRIP_BYTE_COUNTS = 0x0111, 0x0117
_JPEG_FORMAT, _JPEG_FORMAT_LENGTH = 0x0201, 0x0202  # JPEGInterchangeFormat, -Length
_EXIF_IFD, _MAKER_NOTE = 0x8769, 0x927C
_DEFAULT_SCALE, _DEFAULT_CROP_SIZE, _ACTIVE_AREA = 0xC61E, 0xC620, 0xC68D  # DNG

_PANASONIC_BORDERS = (0x0004, 0x0005, 0x0006, 0x0007)  # Sensor Top, Left, Bottom, Right Border
_PANASONIC_JPEG = 0x002E  # JpgFromRaw
_OLYMPUS_CAMERA_SETTINGS = 0x2020
_OLYMPUS_PREVIEW_START, _OLYMPUS_PREVIEW_LENGTH = 0x0101, 0x0102  # of CameraSettings
_CANON_SENSOR_INFO = 0x00E0  # of the maker note; values 5 to 8: left, top, right, bottom border


def tiff_contents(source: Source) -> Contents | None:
    """Return what a TIFF-based RAW file holds; None if it is an ordinary TIFF or none at all."""
    header = read_header(source)
    if header is None:
        return None
    view, magic, first_offset = header
    directories = walk(view, first_offset)
    if not directories:
        return None
    first = directories[0]
    kind = raw_kind(source.at(0, min(HEADER_BYTES, source.size)) or b"")
    if magic == TIFF and kind is None and kind_of_directories(directories) is None:
        return None
    jpegs = [span for one in directories for span in _jpegs_of(one, make(first))]
    if magic == PANASONIC:
        sensor = _panasonic_sensor(first)
        jpegs += _panasonic_jpeg(first)
    elif magic in OLYMPUS:
        sensor = _stated_size(first)
        jpegs += _olympus_jpeg(first)
    elif kind == CANON_CR2:
        sensor = _canon_sensor(first, directories)
    else:
        sensor = _largest_sensor(directories, make(first))
    return Contents(tuple(jpegs), sensor, valid_orientation(first.number(ORIENTATION)))


def canon_sensor_info(maker_note: Directory) -> Size | None:
    """Return the sensor's size within its borders, from Canon's SensorInfo."""
    info = maker_note.numbers(_CANON_SENSOR_INFO)
    if len(info) < 9:
        return None
    left, top, right, bottom = info[5:9]
    return positive(right - left + 1, bottom - top + 1)  # borders are the last pixels inside


def positive(width: float, height: float) -> Size | None:
    """Return a size, None if a side is not positive."""
    return (width, height) if width > 0 and height > 0 else None


def _jpegs_of(directory: Directory, maker: str) -> list[Span]:
    """Return a directory's JPEGs: a stream of its own, and an image that is one strip of JPEG."""
    pairs = [(_JPEG_FORMAT, _JPEG_FORMAT_LENGTH)]
    if directory.number(COMPRESSION) in _JPEG_COMPRESSIONS and not holds_sensor(directory, maker):
        pairs.append((_STRIP_OFFSETS, _STRIP_BYTE_COUNTS))
    found = []
    for start, length in pairs:
        place, size = directory.number(start), directory.number(length)
        if place is not None and size is not None:
            found.append(Span(directory.view.base + place, size))
    return found


def _largest_sensor(directories: list[Directory], maker: str) -> Size | None:
    sizes = [_cropped_size(one) for one in directories if holds_sensor(one, maker)]
    return max((size for size in sizes if size), key=lambda size: size[0] * size[1], default=None)


def _cropped_size(directory: Directory) -> Size | None:
    """Return what is to be shown of a sensor's image, by DNG's tags (newer ARW has them too)."""
    crop = directory.numbers(_DEFAULT_CROP_SIZE)
    area = directory.numbers(_ACTIVE_AREA)  # top, left, bottom, right
    if len(crop) == 2:
        size = positive(crop[0], crop[1])
    elif len(area) == 4:
        size = positive(area[3] - area[1], area[2] - area[0])
    else:
        size = _stated_size(directory)
    scale = directory.numbers(_DEFAULT_SCALE)  # pixels that are not square
    if size is None or len(scale) != 2:
        return size
    return positive(size[0] * scale[0], size[1] * scale[1])


def _stated_size(directory: Directory) -> Size | None:
    width, height = directory.number(_IMAGE_WIDTH), directory.number(_IMAGE_LENGTH)
    return positive(width or 0, height or 0)


def _panasonic_sensor(first: Directory) -> Size | None:
    top, left, bottom, right = (first.number(tag) or 0 for tag in _PANASONIC_BORDERS)
    return positive(right - left, bottom - top)


def _panasonic_jpeg(first: Directory) -> list[Span]:
    entry = first.entries.get(_PANASONIC_JPEG)
    return [Span(entry.offset, entry.count)] if entry else []


def _maker_note(first: Directory) -> Span | None:
    exif = pointed_to(first, _EXIF_IFD)
    entry = exif.entries.get(_MAKER_NOTE) if exif else None
    return Span(entry.offset, entry.count) if entry else None


def _olympus_jpeg(first: Directory) -> list[Span]:
    """Return the preview that the maker note's CameraSettings point to.

    Offsets count from the note's start in all but the oldest notes.
    """
    note = _maker_note(first)
    head = first.view.source.at(note.offset, 16) if note else None
    if note is None or head is None:
        return []
    if head.startswith(b"OLYMPUS\0"):
        view, place = View(first.view.source, _order(head[8:10]), note.offset), 12
    elif head.startswith(b"OM SYSTEM\0"):
        view, place = View(first.view.source, _order(head[12:14]), note.offset), 16
    elif head.startswith(b"OLYMP\0"):
        view, place = first.view, note.offset - first.view.base + 8
    else:
        return []
    main = read_directory(view, place)
    settings = pointed_to(main, _OLYMPUS_CAMERA_SETTINGS) if main else None
    start = settings.number(_OLYMPUS_PREVIEW_START) if settings else None
    length = settings.number(_OLYMPUS_PREVIEW_LENGTH) if settings else None
    return [] if start is None or length is None else [Span(view.base + start, length)]


def _order(mark: bytes) -> str:
    return ">" if mark == b"MM" else "<"


def _canon_sensor(first: Directory, directories: list[Directory]) -> Size | None:
    """Return a CR2's sensor size, by SensorInfo, else by the lossless JPEG that holds its data.

    That JPEG has two or four columns of the sensor as its components, and borders as well.
    """
    note = _maker_note(first)
    main = read_directory(first.view, note.offset - first.view.base) if note else None
    size = canon_sensor_info(main) if main else None
    if size is not None:
        return size
    for directory in directories:
        for span in _jpegs_of(directory, ""):
            header = read_jpeg_header(first.view.source, span)
            if header and header.is_lossless and header.components in (2, 4):
                return positive(header.width * header.components, header.height)
    return None
