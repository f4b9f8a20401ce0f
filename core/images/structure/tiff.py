"""The directories of a TIFF (Adobe, TIFF 6.0; BigTIFF alike), and of RAW files that are one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from core.images.structure.base import (
    Order,
    Source,
    Structure,
    cut,
    pixels_bytes,
    too_much,
    unsupported,
)

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES = 273, 277, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _FORMAT = 322, 323, 324, 325, 339
_NONE, _OLD_JPEG = 1, 6
_DECODED = frozenset({_NONE, 2, 3, 4, 5, _OLD_JPEG, 7, 8, 32771, 32773, 32946, 34925, 50000, 50001})
_CLOSED = frozenset({5, _OLD_JPEG, 7, 8, 32946, 34925, 50000, 50001})  # their data ends in a mark
_FILLED_UP = 50  # careless writers state somewhat more than there is
_NAMED = {
    34712: "JPEG 2000",
    50002: "JPEG XL",
    52546: "JPEG XL",
    34892: "lossy JPEG",
    34887: "LERC",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
}
_WHITE_IS_ZERO, _PALETTE = 0, 3
_MOST_PAGES = 20_000
_MOST_VALUES = 2_000_000  # fields of all pages, and numbers in those that are read
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}  # BigTIFF's
_RATIONAL = 5
_NUMBERS = {1: "u1", 3: "u2", 4: "u4", _RATIONAL: "u4", 13: "u4", 16: "u8", 18: "u8"}


@dataclass(frozen=True, slots=True)
class Field:
    """A tag's type, how many values it has, and where they stand."""

    kind: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory (IFD): a page, or more about one."""

    tiff: Directories
    fields: dict[int, Field]
    following: int  # where the next one stands; 0 if this is the last

    def numbers(self, tag: int) -> list[float]:
        """Read a field's numbers; none if it is not there or holds others. Raises Refusal."""
        found = self.fields.get(tag)
        if found is None or found.kind not in _NUMBERS:
            return []
        self.tiff.count(found.count)
        content = self.tiff.source.at(found.offset, found.count * _SIZES[found.kind])
        kind = self.tiff.mark + _NUMBERS[found.kind]
        values: list[float] = np.frombuffer(content, kind).tolist()
        if found.kind != _RATIONAL:
            return values
        under = values[1::2]
        return [] if 0 in under else [a / b for a, b in zip(values[::2], under, strict=True)]

    def whole(self, tag: int) -> list[int]:
        """Read a field's whole numbers, as for `numbers`."""
        return [int(number) for number in self.numbers(tag)]


class Directories:
    """A TIFF's directories, read field by field as they are asked for."""

    def __init__(self, source: Source, order: Order | None = None) -> None:
        """`order` is that of directories without a header. Raises Refusal for a short header."""
        self.source = source
        self.order: Order = order or ("little" if source.at(0, 2) == b"II" else "big")
        self.mark = "<" if self.order == "little" else ">"  # of struct and NumPy
        self.magic = source.number(2, 2, self.order)
        self.is_big = order is None and self.magic == 43
        self.first = source.number(*((8, 8) if self.is_big else (4, 4)), self.order)
        self._values = 0

    def pages(self) -> Iterator[Directory]:
        """Yield each page. Raises Refusal where the file ends before they do."""
        at, known = self.first, set[int]()
        while at:
            if at in known or len(known) >= _MOST_PAGES:
                raise too_much(f"has a chain of more than {len(known)} pages")
            known.add(at)
            page = self.directory(at)
            yield page
            at = page.following
        if not known:
            raise cut("it has no page")

    def directory(self, at: int) -> Directory:
        """Read the directory that stands at an offset. Raises Refusal."""
        count_bytes, entry, pointer = (8, 20, 8) if self.is_big else (2, 12, 4)
        count = self.source.number(at, count_bytes, self.order)
        start = at + count_bytes
        end = start + count * entry
        if end > self.source.size:
            raise cut("a page of it is not whole")
        self.count(count)
        content = self.source.at(start, end - start)
        fields: dict[int, Field] = {}
        layout = self.mark + ("HHQQ" if self.is_big else "HHII")
        for index, (tag, kind, number, offset) in enumerate(struct.iter_unpack(layout, content)):
            if number * _SIZES.get(kind, 1) <= pointer:  # the values themselves
                offset = start + index * entry + 4 + pointer
            fields.setdefault(tag, Field(kind, number, offset))
        is_last = end + pointer > self.source.size
        following = 0 if is_last else self.source.number(end, pointer, self.order)
        return Directory(self, fields, following)

    def count(self, values: int) -> None:
        """Raise Refusal once too many fields and numbers have been read."""
        self._values += values
        if self._values > _MOST_VALUES:
            raise too_much(f"has directories of more than {_MOST_VALUES} numbers")


def walk_tiff(source: Source) -> Structure:
    """Walk all pages of a TIFF, and read what decoding the first takes. Raises Refusal."""
    directories = Directories(source)
    if directories.is_big and directories.order == "big":
        raise unsupported("a big-endian BigTIFF")
    first: Structure | None = None
    for page in directories.pages():
        if first is None:
            first = _first_page(page)
            first = replace(first, zeros=_zeros(page))
        else:
            _zeros(page)
    assert first is not None
    return first


def _first_page(page: Directory) -> Structure:
    def value(tag: int, default: int) -> int:
        return (page.whole(tag) or [default])[0]

    width, height, bits = value(_WIDTH, 0), value(_HEIGHT, 0), value(_BITS, 1)
    compression, photometric = value(_COMPRESSION, _NONE), value(_PHOTOMETRIC, 1)
    samples = min(value(_SAMPLES, 1), 16)
    if compression not in _DECODED:
        inside = _NAMED.get(compression, f"compression {compression}")
        raise unsupported(f"a TIFF with {inside} inside")
    if value(_FORMAT, 1) == 3 and (samples > 1 or bits != 32):
        raise unsupported("a TIFF in floating point")
    needed = pixels_bytes(width, height, _bytes_a_pixel(bits, samples, photometric))
    if compression != _NONE:  # a strip or a tile at once
        row = -(-width * bits * samples // 8)
        tile = value(_TILE_WIDTH, 0) * value(_TILE_HEIGHT, 0) * samples * bits // 8
        needed += 2 * (tile or min(value(_ROWS, height), height) * row)
    # Pillow does not know these: black is made zero
    is_inverted = photometric == _WHITE_IS_ZERO and bits > 8 and samples == 1
    lean = None
    if is_inverted and _PHOTOMETRIC in page.fields:
        value_at = page.fields[_PHOTOMETRIC].offset
        lean = partial(_with_black_as_zero, value_at + (page.tiff.order == "big"))
    return Structure(width, height, needed, lean=lean, white_is_zero=is_inverted)


def _with_black_as_zero(at: int, content: bytes) -> bytes:
    """Return a TIFF that states that black is zero; `at` is where the lower byte of that stands."""
    return content[:at] + b"\1" + content[at + 1 :]


def _bytes_a_pixel(bits: int, samples: int, photometric: int) -> float:
    if samples == 1:
        if bits > 16:
            return 12.5
        return 9.5 if bits > 8 else 5.5
    if samples == 3 and photometric not in (_PALETTE, 8):
        return 4.5
    return 12.5


def _zeros(page: Directory) -> tuple[int, int] | None:
    """Find the zeros that a page's pixels end in. Raises Refusal if not all are in the file."""
    source = page.tiff.source
    is_tiled = _TILES in page.fields
    offsets = page.whole(_TILES if is_tiled else _STRIPS)
    counts = page.whole(_TILE_BYTES if is_tiled else _STRIP_BYTES)
    if not offsets or len(offsets) != len(counts):
        return None
    end, start, count = max((a + b, a, b) for a, b in zip(offsets, counts, strict=True))
    if end > source.size:
        raise cut("its pixels are not all there")
    compression = (page.whole(_COMPRESSION) or [_NONE])[0]
    if compression == _NONE:
        return None
    zeros = source.zeros_before(start, end)
    if zeros is not None and compression in _CLOSED:
        if (zeros[1] - zeros[0]) * _FILLED_UP > count:
            raise cut("its image ends in nothing but zeros")
        return None
    return zeros
