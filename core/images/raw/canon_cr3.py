"""Canon's CR3: an ISO base media file (ISO/IEC 14496-12) with Canon's own boxes.

The boxes are as Laurent Clévy describes them (https://github.com/lclevy/canon_cr3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from core.images.raw.jpeg import ORIENTATION, valid_orientation
from core.images.raw.source import Contents, Size, Source, Span
from core.images.raw.tiff import Directory, read_directory, read_header
from core.images.raw.tiff_based import canon_sensor_info, positive

_MOST_BOXES = 64  # of one parent; real files have 10
_MOST_TRACKS = 16
_METADATA = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_UUID_BYTES = 16
_BEFORE_PRVW = 8  # two unknown numbers in the preview's uuid box
_PRVW_LENGTH, _PRVW_JPEG = 12, 16
_BEFORE_ENTRIES = 8  # version, flags and count, in stsd
_ENTRY_WIDTH = 24  # in a VisualSampleEntry, from its payload
_ENTRY_BOXES = 82  # CRAW is four bytes longer than a VisualSampleEntry
_CDI1_BOXES = 4  # version and flags
_IAD1_OF_SENSOR = 2  # of the small image: 0 or 1

Box = tuple[bytes, Span]  # type, payload


def cr3_contents(source: Source) -> Contents:
    """Return a CR3's full-size and smaller JPEG, its cropped sensor size and its orientation."""
    top = list(_boxes(source, Span(0, source.size)))
    movie = _first(top, b"moov")
    inside = list(_boxes(source, movie)) if movie else []
    metadata = _uuid(source, inside, _METADATA)
    tiffs = dict(_boxes(source, metadata)) if metadata else {}
    image = _tiff(source, tiffs.get(b"CMT1"))
    maker_note = _tiff(source, tiffs.get(b"CMT3"))

    jpegs = _smaller_preview(source, top)
    cropped: list[Size | None] = []
    coded: list[Size | None] = []
    tracks = [payload for kind, payload in inside if kind == b"trak"]
    for track in tracks[:_MOST_TRACKS]:
        samples = _descend(source, track, b"mdia", b"minf", b"stbl")
        tables = dict(_boxes(source, samples)) if samples else {}
        entry = _craw(source, tables)
        parts = dict(_boxes(source, _after(entry, _ENTRY_BOXES))) if entry else {}
        if b"JPEG" in parts:
            jpegs += _first_sample(source, tables)
        elif entry and b"CMP1" in parts:
            cropped.append(_crop(source, parts.get(b"CDI1")))
            coded.append(_size_at(source, entry.offset + _ENTRY_WIDTH))
    sensor = (
        _largest(cropped)
        or (canon_sensor_info(maker_note) if maker_note else None)
        or _largest(coded)
    )
    orientation = image.number(ORIENTATION) if image else None
    return Contents(tuple(jpegs), sensor, valid_orientation(orientation))


def _boxes(source: Source, within: Span) -> Iterator[Box]:
    """Yield the boxes in a span, 64 at most, each cut off where its parent ends."""
    place, end = within.offset, within.offset + within.length
    for _ in range(_MOST_BOXES):
        head = source.at(place, 8)
        if head is None or place + 8 > end:
            return
        size, start = int.from_bytes(head[:4], "big"), place + 8
        if size == 1:
            large = source.at(start, 8)
            size, start = int.from_bytes(large or b"", "big"), start + 8
        elif size == 0:
            size = end - place
        if place + size < start:
            return
        yield head[4:], Span(start, min(place + size, end) - start)
        place += size


def _after(span: Span, count: int) -> Span:
    return Span(span.offset + count, span.length - count)


def _first(boxes: list[Box], wanted: bytes) -> Span | None:
    return next((payload for kind, payload in boxes if kind == wanted), None)


def _uuid(source: Source, boxes: list[Box], wanted: bytes) -> Span | None:
    for kind, payload in boxes:
        if kind == b"uuid" and source.at(payload.offset, _UUID_BYTES) == wanted:
            return _after(payload, _UUID_BYTES)
    return None


def _descend(source: Source, payload: Span, *path: bytes) -> Span | None:
    found: Span | None = payload
    for kind in path:
        found = _first(list(_boxes(source, found)), kind) if found else None
    return found


def _tiff(source: Source, payload: Span | None) -> Directory | None:
    header = read_header(source, payload.offset) if payload else None
    return read_directory(header[0], header[2]) if header else None


def _craw(source: Source, tables: dict[bytes, Span]) -> Span | None:
    description = tables.get(b"stsd")
    if description is None:
        return None
    return _first(list(_boxes(source, _after(description, _BEFORE_ENTRIES))), b"CRAW")


def _first_sample(source: Source, tables: dict[bytes, Span]) -> list[Span]:
    sizes, places = tables.get(b"stsz"), tables.get(b"co64") or tables.get(b"stco")
    if sizes is None or places is None:
        return []
    bytes_of_place = 8 if b"co64" in tables else 4
    place = source.at(places.offset + 8, bytes_of_place)  # after version, flags and count
    size = source.at(sizes.offset + 4, 4)  # the same of all samples, 0 if they differ
    if size == bytes(4):
        size = source.at(sizes.offset + 12, 4)
    if place is None or size is None:
        return []
    return [Span(int.from_bytes(place, "big"), int.from_bytes(size, "big"))]


def _smaller_preview(source: Source, top: list[Box]) -> list[Span]:
    """Return the JPEG in the box PRVW, 1620 x 1080 as a rule."""
    preview = _uuid(source, top, _PREVIEW)
    boxes = list(_boxes(source, _after(preview, _BEFORE_PRVW))) if preview else []
    payload = _first(boxes, b"PRVW")
    length = source.at(payload.offset + _PRVW_LENGTH, 4) if payload else None
    if payload is None or length is None:
        return []
    return [Span(payload.offset + _PRVW_JPEG, int.from_bytes(length, "big"))]


def _size_at(source: Source, place: int) -> Size | None:
    found = source.at(place, 4)
    return positive(*struct.unpack(">HH", found)) if found else None


def _crop(source: Source, dimensions: Span | None) -> Size | None:
    """Return the recommended crop from IAD1; borders are the last pixels inside."""
    areas = (
        _first(list(_boxes(source, _after(dimensions, _CDI1_BOXES))), b"IAD1")
        if dimensions
        else None
    )
    found = source.at(areas.offset, 24) if areas else None
    if found is None or int.from_bytes(found[10:12], "big") != _IAD1_OF_SENSOR:
        return None
    left, top, right, bottom = struct.unpack(">4H", found[16:])
    return positive(right - left + 1, bottom - top + 1)


def _largest(sizes: list[Size | None]) -> Size | None:
    return max((size for size in sizes if size), key=lambda size: size[0] * size[1], default=None)
