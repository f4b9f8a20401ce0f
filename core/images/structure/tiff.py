"""The directories of a TIFF (Adobe, TIFF 6.0; BigTIFF alike)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

import numpy as np

from core.images.structure.base import (
    Structure,
    cut,
    pixels_bytes,
    read_at,
    size_of,
    too_much,
    unsupported,
    zeros_before,
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
_MOST_VALUES = 2_000_000  # fields of all pages, and numbers in those that are looked at
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_WHOLE_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}


@dataclass(frozen=True, slots=True)
class _Field:
    kind: int
    count: int
    offset: int  # of its values


class Directories:
    """A TIFF's directories, read field by field as they are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Refusal for what does not begin as a TIFF does."""
        self.file = file
        self.size = size_of(file)
        head = read_at(file, 0, 8)
        self.order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
        self.big = 43 in (int.from_bytes(head[2:4], "little"), int.from_bytes(head[2:4]))
        self._values = 0
        self.first = self._number(8, 8) if self.big else self._number(4, 4)

    def pages(self) -> Iterator[dict[int, _Field]]:
        """Give the fields of each page. Raises Refusal where the file ends before they do."""
        at, seen = self.first, set[int]()
        while at:
            if at in seen or len(seen) >= _MOST_PAGES:
                raise too_much(f"has a chain of more than {len(seen)} pages")
            seen.add(at)
            fields, at = self._directory(at)
            yield fields
        if not seen:
            raise cut("it has no page")

    def values(self, fields: dict[int, _Field], tag: int) -> list[int]:
        """Read a field of whole numbers; none if it is not there."""
        found = fields.get(tag)
        if found is None or found.kind not in _WHOLE_NUMBERS:
            return []
        kind = np.dtype(_WHOLE_NUMBERS[found.kind]).newbyteorder(
            "<" if self.order == "little" else ">"
        )
        self._count(found.count)
        content = read_at(self.file, found.offset, found.count * kind.itemsize)
        return [int(value) for value in np.frombuffer(content, kind)]

    def _directory(self, at: int) -> tuple[dict[int, _Field], int]:
        wide, entry = (8, 20) if self.big else (2, 12)
        count = self._number(at, wide)
        if at + wide + count * entry > self.size:
            raise cut("a page of it is not whole")
        self._count(count)
        content = read_at(self.file, at + wide, count * entry)
        fields: dict[int, _Field] = {}
        for start in range(0, len(content), entry):
            tag, kind = (int.from_bytes(content[i : i + 2], self.order) for i in (start, start + 2))
            half = 8 if self.big else 4
            number = int.from_bytes(content[start + 4 : start + 4 + half], self.order)
            inline = start + 4 + half
            length = number * _SIZES.get(kind, 1)
            offset = (
                at + wide + inline
                if length <= half
                else int.from_bytes(content[inline : inline + half], self.order)
            )
            fields.setdefault(tag, _Field(kind, number, offset))
        end = at + wide + count * entry
        pointer = 8 if self.big else 4
        return fields, self._number(end, pointer) if end + pointer <= self.size else 0

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise too_much(f"has directories of more than {_MOST_VALUES} numbers")

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(read_at(self.file, at, width), self.order)


@dataclass(frozen=True, slots=True)
class Tiff:
    """A TIFF's first page."""

    structure: Structure
    white_is_zero: bool  # in more than 8 bits, which Pillow does not know: black is made zero


@dataclass(frozen=True, slots=True)
class _BlackIsZero:
    """Changes a TIFF that says that white is zero, so that it says the same of black."""

    at: int  # where in the file the lower byte of its photometric interpretation stands

    def __call__(self, content: bytes) -> bytes:
        return content[: self.at] + b"\1" + content[self.at + 1 :]


def walk_tiff(file: BinaryIO) -> Tiff:
    """Walk all pages of a TIFF, and read what decoding the first takes. Raises Refusal."""
    directories = Directories(file)
    if directories.big and directories.order == "big":
        raise unsupported("a big-endian BigTIFF")
    first: Tiff | None = None
    for fields in directories.pages():
        page = _first_page(directories, fields) if first is None else None
        zeros = _check_data(directories, fields)
        if page is not None:
            first = replace(page, structure=replace(page.structure, zeros=zeros))
    assert first is not None
    return first


def _first_page(directories: Directories, fields: dict[int, _Field]) -> Tiff:
    def value(tag: int, default: int) -> int:
        return (directories.values(fields, tag) or [default])[0]

    width, height = value(_WIDTH, 0), value(_HEIGHT, 0)
    bits = value(_BITS, 1)
    compression, photometric = value(_COMPRESSION, _NONE), value(_PHOTOMETRIC, 1)
    samples = min(value(_SAMPLES, 1), 16)
    if compression not in _DECODED:
        inside = _NAMED.get(compression, f"compression {compression}")
        raise unsupported(f"a TIFF with {inside} inside")
    if value(_FORMAT, 1) == 3 and (samples > 1 or bits != 32):
        raise unsupported("a TIFF in floating point")
    needed = pixels_bytes(width, height, _bytes_a_pixel(bits, samples, photometric))
    row = -(-width * bits * samples // 8)
    if compression != _NONE:  # a strip or a tile at once
        rows = min(value(_ROWS, height), height)
        tile = value(_TILE_WIDTH, 0) * value(_TILE_HEIGHT, 0) * samples * bits // 8
        needed += 2 * (tile or rows * row)
    inverted = photometric == _WHITE_IS_ZERO and bits > 8 and samples == 1
    lean = None
    if inverted and _PHOTOMETRIC in fields:
        value_at = fields[_PHOTOMETRIC].offset
        lean = _BlackIsZero(value_at if directories.order == "little" else value_at + 1)
    return Tiff(Structure(width, height, needed, lean=lean), white_is_zero=inverted)


def _bytes_a_pixel(bits: int, samples: int, photometric: int) -> float:
    if samples == 1:
        if bits > 16:
            return 12.5
        return 9.5 if bits > 8 else 5.5
    if samples == 3 and photometric not in (_PALETTE, 8):
        return 4.5
    return 12.5


def _check_data(directories: Directories, fields: dict[int, _Field]) -> tuple[int, int] | None:
    """Raise Refusal if a page's pixels are not all in the file; find the zeros that they end in."""
    tag, counts_tag = (_TILES, _TILE_BYTES) if _TILES in fields else (_STRIPS, _STRIP_BYTES)
    offsets = directories.values(fields, tag)
    counts = directories.values(fields, counts_tag)
    if not offsets or len(offsets) != len(counts):
        return None
    at = np.array(offsets, np.uint64), np.array(counts, np.uint64)
    ends = at[0] + at[1]
    if int(ends.max()) > directories.size:
        raise cut("its pixels are not all there")
    compression = (directories.values(fields, _COMPRESSION) or [_NONE])[0]
    if compression == _NONE:
        return None
    last = int(ends.argmax())
    zeros = zeros_before(directories.file, offsets[last], int(ends[last]))
    if zeros is not None and compression in _CLOSED:
        if (zeros[1] - zeros[0]) * _FILLED_UP > counts[last]:
            raise cut("its image ends in nothing but zeros")
        return None
    return zeros
