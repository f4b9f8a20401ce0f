"""The segments and scans of a JPEG (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from core.images.structure.base import (
    Structure,
    cut,
    pixels_bytes,
    read_at,
    size_of,
    too_much,
    unsupported,
)

_EOI, _SOS, _DHT, _APP1, _APP2, _ADOBE = 0xD9, 0xDA, 0xC4, 0xE1, 0xE2, 0xEE
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_HUFFMAN_OR_ARITHMETIC = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})  # what libjpeg-turbo decodes
_LOSSLESS = 0xC3
_BESIDES = frozenset({0xE0, *range(0xE1, 0xEE), 0xEF, 0xFE})  # applications' own, and comments
_ADOBE_LENGTH = 12  # bytes, of the segment that says how colours were transformed
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_BETWEEN_SCANS = re.compile(rb"\xff[\xc4\xd9-\xdd\xe0-\xfe]", re.DOTALL)
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=['\"]|>)([1-8])")
_CHUNK = 1 << 20  # bytes

_MOST_SEGMENTS = 200_000  # and places where the decoder would look for one
# A scan is a pass over all coefficients: 5,000 of 16 million took 46 s
_MOST_SCANS = 500
_MOST_COEFFICIENTS = 2_500_000_000  # over all scans
_MOST_SEVERAL_BYTES = 48_000_000  # of an image in several scans, which is decoded slowly


@dataclass(frozen=True, slots=True)
class Frame:
    """What a JPEG's frame header says."""

    marker: int
    precision: int  # bits
    width: int  # pixels
    height: int
    sampling: tuple[tuple[int, int], ...]  # of each component: horizontal, vertical

    @property
    def components(self) -> int:
        return len(self.sampling)

    @property
    def coefficients(self) -> int:
        """Count the coefficients of all blocks (T.81, A.1.1 and A.2.4)."""
        most_h = max(h for h, _ in self.sampling)
        most_v = max(v for _, v in self.sampling)
        wide = -(-self.width // (8 * most_h))
        high = -(-self.height // (8 * most_v))
        return sum(wide * h * high * v * 64 for h, v in self.sampling)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A JPEG, as far as its decoding depends on it."""

    frame: Frame
    scans: int  # 1 for one that is decoded as it is read, whatever follows
    keeps_coefficients: bool  # all of them, while it is decoded
    exif: bytes | None = field(repr=False)  # the first, from "Exif\0\0" on
    xmp_orientation: int | None
    data_at: int  # where in the file its image's data begins
    besides: tuple[tuple[int, int], ...] = field(repr=False)  # where what is not needed lies

    def scale(self, min_side: int) -> int:
        """Compute by which of 1, 2, 4, 8 its sides may be divided: none falls under `min_side`.

        It is Pillow's rule for draft().
        """
        if self.frame.marker == _LOSSLESS:
            return 1
        most = min(self.frame.width, self.frame.height) // min_side
        return next((scale for scale in (8, 4, 2) if most >= scale), 1)

    def structure(self, min_side: int) -> Structure:
        """Compute what decoding takes with sides of no less than `min_side` pixels.

        Raises Refusal.
        """
        frame = self.frame
        kept = 2 * frame.coefficients if self.keeps_coefficients else 0
        if self.keeps_coefficients and frame.coefficients * self.scans > _MOST_COEFFICIENTS:
            raise too_much(f"has {self.scans} scans of {frame.width} x {frame.height} pixels")
        scale = self.scale(min_side)
        wide, high = -(-frame.width // scale), -(-frame.height // scale)
        decoded = pixels_bytes(wide, high, 12 if frame.components == 4 else 8)
        return Structure(frame.width, frame.height, kept + decoded)


def walk_jpeg(file: BinaryIO) -> Jpeg:
    """Read a JPEG's segments up to its image, and count its scans.

    Raises Refusal for one that ends early, one of a kind that is not decoded, and one with more
    scans than make sense.
    """
    size = size_of(file)
    frame: Frame | None = None
    exif: bytes | None = None
    turn: int | None = None
    besides: list[tuple[int, int]] = []
    for marker, offset, length in _segments(file, size):
        if marker in _BESIDES or (marker == _ADOBE and length < _ADOBE_LENGTH):
            start = offset - 4
            if besides and besides[-1][1] == start:  # one range for one behind the other
                start = besides.pop()[0]
            besides.append((start, offset + length))
        if marker in _FRAMES and frame is None:
            frame = _frame(marker, read_at(file, offset, length))
        elif marker == _APP1 and length > 6 and (exif is None or turn is None):
            content = read_at(file, offset, length)
            if exif is None and content.startswith(b"Exif\0"):
                exif = content
            elif turn is None and content.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                found = _XMP_ORIENTATION.search(content)
                turn = int(found[1]) if found else None
        elif marker == _APP2 and length > 4 and read_at(file, offset, 4) == b"MPF\0":
            _check_pictures(file, offset + 4, length - 4, size)
        elif marker == _SOS:
            if frame is None:
                raise cut("its image begins before its frame")
            first = read_at(file, offset, 1)[0]
            several = frame.marker in _PROGRESSIVE or first < frame.components
            scans = _count_scans(file, offset + length, size) if several else 1
            if scans > _MOST_SCANS:
                raise too_much(f"has more than {_MOST_SCANS} scans")
            if several and size > _MOST_SEVERAL_BYTES:
                raise too_much(f"has {size // 1_000_000} MB in several scans")
            return Jpeg(frame, scans, several, exif, turn, offset + length, tuple(besides))
        elif marker == _EOI:
            break
    raise cut("it ends before its image")


def _segments(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Give markers, and where and how long what follows them is."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 2 > size:
            return
        file.seek(at)
        head = file.read(4)
        if head[0] != 0xFF:  # the decoder passes over such bytes, too
            at = _next_marker(file, at, size)
            continue
        marker = head[1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE or marker == 0:
            at += 2
        elif marker == _EOI:
            yield marker, at + 2, 0
            return
        else:
            if len(head) < 4:
                return
            length = int.from_bytes(head[2:4])
            if length < 2 or at + 2 + length > size:
                return
            yield marker, at + 4, length - 2
            at += 2 + length
    raise too_much(f"has more than {_MOST_SEGMENTS} segments")


def _next_marker(file: BinaryIO, at: int, size: int) -> int:
    while at < size:
        file.seek(at)
        found = file.read(_CHUNK).find(b"\xff")
        if found >= 0:
            return at + found
        at += _CHUNK
    return size


def _frame(marker: int, content: bytes) -> Frame:
    if len(content) < 6 or len(content) < 6 + 3 * content[5]:
        raise cut("its frame header is short")
    precision, count = content[0], content[5]
    height, width = int.from_bytes(content[1:3]), int.from_bytes(content[3:5])
    sampling = tuple((content[at] >> 4, content[at] & 15) for at in range(7, 7 + 3 * count, 3))
    if precision != 8 and marker != _LOSSLESS:
        raise unsupported(f"a JPEG with {precision} bits a colour")
    if marker not in _HUFFMAN_OR_ARITHMETIC | {_LOSSLESS}:
        raise unsupported("a JPEG of a rare kind (hierarchical, or lossless arithmetic)")
    if height == 0:
        raise unsupported("a JPEG that tells its height only at its end")
    if not 1 <= count <= 4 or not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in sampling):
        raise cut("its frame header makes no sense")
    if width == 0:
        raise cut("it has no pixels")
    return Frame(marker, precision, width, height, sampling)


def _count_scans(file: BinaryIO, at: int, size: int) -> int:
    """Count the scans of an image with several, the first included; `at` is in its data."""
    scans = 1
    while at < size and scans <= _MOST_SCANS:
        file.seek(at)
        chunk = file.read(_CHUNK)
        start = 0
        while scans <= _MOST_SCANS:
            found = _BETWEEN_SCANS.search(chunk, start)
            if found is None:
                at += max(len(chunk) - 1, 1)  # a marker may lie across two chunks
                break
            marker, start = chunk[found.start() + 1], found.end()
            if marker == _EOI:
                return scans
            if start + 2 > len(chunk):
                at += found.start()
                if len(chunk) < _CHUNK:
                    return scans
                break
            scans += marker == _SOS
            start += int.from_bytes(chunk[start : start + 2])
            if start >= len(chunk):
                at += start
                break
    return scans


def _check_pictures(file: BinaryIO, start: int, length: int, size: int) -> None:
    """Raise Refusal if one of an MPO's further pictures is cut (CIPA DC-007, 5.2).

    Programs that write the first picture anew leave the index of pictures that are gone: such a
    file ends as a JPEG does.
    """
    index = read_at(file, start, length)
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(index[:4])
    if order is None:
        return

    def number(at: int, width: int = 4) -> int:
        return int.from_bytes(index[at : at + width], order)  # type: ignore[arg-type]

    directory = number(4)
    entries = b""
    for entry in range(min(number(directory, 2), 16)):
        at = directory + 2 + 12 * entry
        if number(at, 2) == 0xB002:
            offset, count = number(at + 8), number(at + 4)
            entries = index[offset : offset + count]
    for at in range(16, len(entries) - 15, 16):
        bytes_, offset = (
            int.from_bytes(entries[place : place + 4], order)  # type: ignore[arg-type]
            for place in (at + 4, at + 8)
        )
        end = start + offset + bytes_
        if offset == 0 or bytes_ == 0:
            continue
        if end > size:
            if not _ends_as_jpeg(file, size):
                raise cut("one of its pictures is not whole")
        elif bytes_ > 64 and not any(read_at(file, end - 64, 64)):
            raise cut("one of its pictures is not whole")


def _ends_as_jpeg(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - _CHUNK))
    return file.read().rstrip(b"\0").endswith(b"\xff\xd9")
