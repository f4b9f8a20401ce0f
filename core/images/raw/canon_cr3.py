"""Canon's CR3: an ISO base media file (ISO/IEC 14496-12) with Canon's own boxes.

The boxes are as Laurent Clévy describes them (https://github.com/lclevy/canon_cr3).
"""

from __future__ import annotations

import struct
from contextlib import suppress
from itertools import islice

from core.images.raw.contents import Contents, Size, Span, largest, positive, unless_damaged
from core.images.raw.directories import directory_at, number, open_tiff
from core.images.raw.tiff_based import ORIENTATION, canon_sensor_info
from core.images.structure.base import Refusal, Source
from core.images.structure.boxes import Box, boxes
from core.images.structure.tiff import Directory

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


def cr3_contents(source: Source) -> Contents:
    """Return a CR3's full-size and smaller JPEG, its cropped sensor size and its orientation."""
    top = _inside(source, Box(b"", 0, source.size))
    movie = _inside(source, _first(top, b"moov"))
    metadata = _inside(source, _uuid(source, movie, _METADATA), _UUID_BYTES)
    image = _directory(source, _first(metadata, b"CMT1"))
    maker_note = _directory(source, _first(metadata, b"CMT3"))

    jpegs = [_smaller_preview(source, top)]
    cropped: list[Size | None] = []
    coded: list[Size | None] = []
    tracks = [box for box in movie if box.kind == b"trak"]
    for track in tracks[:_MOST_TRACKS]:
        tables = _inside(source, _descend(source, track, b"mdia", b"minf", b"stbl"))
        entry = _first(_inside(source, _first(tables, b"stsd"), _BEFORE_ENTRIES), b"CRAW")
        parts = _inside(source, entry, _ENTRY_BOXES)
        if _first(parts, b"JPEG"):
            jpegs.append(_first_sample(source, tables))
        elif entry and _first(parts, b"CMP1"):
            areas = _inside(source, _first(parts, b"CDI1"), _CDI1_BOXES)
            cropped.append(_crop(source, _first(areas, b"IAD1")))
            coded.append(_coded_size(source, entry))
    sensor = (
        largest(cropped)
        or (canon_sensor_info(maker_note) if maker_note else None)
        or largest(coded)
    )
    orientation = number(image, ORIENTATION) if image else None
    whole = unless_damaged(lambda: list(boxes(source, 0, source.size)))()
    return Contents(tuple(span for span in jpegs if span), sensor, orientation, whole is None)


def _inside(source: Source, parent: Box | None, skipped: int = 0) -> list[Box]:
    """Return the boxes in another, 64 at most, up to the first that is damaged."""
    found: list[Box] = []
    with suppress(Refusal):
        if parent is not None:
            for box in islice(boxes(source, parent.start + skipped, parent.end), _MOST_BOXES):
                found.append(box)  # those before a damaged one count
    return found


def _first(found: list[Box], wanted: bytes) -> Box | None:
    return next((box for box in found if box.kind == wanted), None)


@unless_damaged
def _uuid(source: Source, found: list[Box], wanted: bytes) -> Box | None:
    for box in found:
        if box.kind == b"uuid" and source.at(box.start, _UUID_BYTES) == wanted:
            return box
    return None


def _descend(source: Source, box: Box | None, *path: bytes) -> Box | None:
    for kind in path:
        box = _first(_inside(source, box), kind)
    return box


@unless_damaged
def _directory(source: Source, box: Box | None) -> Directory | None:
    """Return the first directory of a TIFF in a box."""
    tiff = open_tiff(source.part(box.start, box.end - box.start)) if box else None
    return directory_at(tiff, tiff.first) if tiff else None


@unless_damaged
def _first_sample(source: Source, tables: list[Box]) -> Span | None:
    """Return the first of a track's samples, which is its JPEG."""
    sizes, large, small = (_first(tables, kind) for kind in (b"stsz", b"co64", b"stco"))
    places = large or small
    if sizes is None or places is None:
        return None
    size = source.number(sizes.start + 4, 4)  # the same of all samples, 0 if they differ
    size = size or source.number(sizes.start + 12, 4)
    # after version, flags and count
    return Span(source.number(places.start + 8, 8 if large else 4), size)


@unless_damaged
def _smaller_preview(source: Source, top: list[Box]) -> Span | None:
    """Return the JPEG in the box PRVW, 1620 x 1080 as a rule."""
    inside = _inside(source, _uuid(source, top, _PREVIEW), _UUID_BYTES + _BEFORE_PRVW)
    box = _first(inside, b"PRVW")
    if box is None:
        return None
    return Span(box.start + _PRVW_JPEG, source.number(box.start + _PRVW_LENGTH, 4))


@unless_damaged
def _coded_size(source: Source, entry: Box) -> Size | None:
    return positive(*struct.unpack(">HH", source.at(entry.start + _ENTRY_WIDTH, 4)))


@unless_damaged
def _crop(source: Source, area: Box | None) -> Size | None:
    """Return the recommended crop from IAD1; borders are the last pixels inside."""
    if area is None or source.number(area.start + 10, 2) != _IAD1_OF_SENSOR:
        return None
    left, top, right, bottom = struct.unpack(">4H", source.at(area.start + 16, 8))
    return positive(right - left + 1, bottom - top + 1)
