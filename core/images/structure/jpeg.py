"""The segments and scans of a JPEG (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.images.structure.base import (
    Order,
    Source,
    Structure,
    cut,
    pixels_bytes,
    too_much,
    unsupported,
)

_EOI, _SOS, _DHT, _APP1, _APP2, _ADOBE = 0xD9, 0xDA, 0xC4, 0xE1, 0xE2, 0xEE
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_HUFFMAN_OR_ARITHMETIC = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})  # what libjpeg-turbo decodes
LOSSLESS = 0xC3
_BESIDES = frozenset({0xE0, *range(0xE1, 0xEE), 0xEF, 0xFE})  # applications' own, and comments
_ADOBE_LENGTH = 12  # bytes, of the segment that says how colours were transformed
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_BETWEEN_SCANS = re.compile(rb"\xff[\xc4\xd9-\xdd\xe0-\xfe]", re.DOTALL)
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=['\"]|>)([1-8])")
_MP_ENTRY = 0xB002  # of an MPO's index
_CHUNK, _FEW = 1 << 20, 1 << 12  # bytes

_MOST_SEGMENTS = 200_000  # and places where the decoder would search for one
_MOST_BEFORE_FRAME = 256
# A scan is a pass over all coefficients: 5,000 of 16 million took 46 s
_MOST_SCANS = 500
_MOST_COEFFICIENTS = 2_500_000_000  # over all scans
_MOST_SEVERAL_BYTES = 48_000_000  # of an image in several scans, which is decoded slowly


@dataclass(frozen=True, slots=True)
class Frame:
    """A JPEG's frame header."""

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
        if self.frame.marker == LOSSLESS:
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


def walk_jpeg(source: Source) -> Jpeg:
    """Read a JPEG's segments up to its image, and count its scans.

    Raises Refusal for one that ends early, one of a kind that is not decoded, and one with more
    scans than make sense.
    """
    frame: Frame | None = None
    exif: bytes | None = None
    turn: int | None = None
    besides: list[tuple[int, int]] = []
    for marker, offset, length in _segments(source, _MOST_SEGMENTS):
        if marker in _BESIDES or (marker == _ADOBE and length < _ADOBE_LENGTH):
            start = offset - 4
            if besides and besides[-1][1] == start:  # one range for one behind the other
                start = besides.pop()[0]
            besides.append((start, offset + length))
        if marker in _FRAMES and frame is None:
            frame = _frame(marker, source.at(offset, length))
        elif marker == _APP1 and (exif is None or turn is None):
            content = source.at(offset, length)
            if exif is None and content.startswith(b"Exif\0"):
                exif = content
            elif turn is None and content.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                found = _XMP_ORIENTATION.search(content)
                turn = int(found[1]) if found else None
        elif marker == _APP2 and length > 4 and source.at(offset, 4) == b"MPF\0":
            _check_pictures(source, offset + 4, length - 4)
        elif marker == _SOS:
            if frame is None:
                raise cut("its image begins before its frame")
            has_several = frame.marker in _PROGRESSIVE or source.at(offset, 1)[0] < frame.components
            scans = _count_scans(source, offset + length) if has_several else 1
            return Jpeg(frame, scans, has_several, exif, turn, offset + length, tuple(besides))
    raise cut("it ends before its image")


def read_frame(source: Source) -> Frame:
    """Read a JPEG's frame header, near its beginning. Raises Refusal."""
    if source.at(0, 3) == b"\xff\xd8\xff":
        for marker, offset, length in _segments(source, _MOST_BEFORE_FRAME):
            if marker in _FRAMES:
                return _frame(marker, source.at(offset, length))
            if marker == _SOS:
                break
    raise cut("it ends before its image")


def _segments(source: Source, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield markers, and where and how long what follows them is, up to the end marker."""
    at = 2
    for _ in range(most):
        head = source.up_to(at, 4)
        if len(head) < 2:
            return
        marker = head[1]
        if head[0] != 0xFF:  # the decoder passes over such bytes, too
            at = _next_marker(source, at)
        elif marker == 0xFF:
            at += 1
        elif marker in _ALONE or marker == 0:
            at += 2
        else:
            length = int.from_bytes(head[2:4])
            if marker == _EOI or length < 2 or at + 2 + length > source.size:
                return
            yield marker, at + 4, length - 2
            at += 2 + length
    raise too_much(f"has more than {most} segments")


def _next_marker(source: Source, at: int) -> int:
    while at < source.size:
        found = source.up_to(at, _FEW).find(b"\xff")
        if found >= 0:
            return at + found
        at += _FEW
    return source.size


def _frame(marker: int, content: bytes) -> Frame:
    if len(content) < 6 or len(content) < 6 + 3 * content[5]:
        raise cut("its frame header is short")
    precision, count = content[0], content[5]
    height, width = int.from_bytes(content[1:3]), int.from_bytes(content[3:5])
    sampling = tuple((content[at] >> 4, content[at] & 15) for at in range(7, 7 + 3 * count, 3))
    if precision != 8 and marker != LOSSLESS:
        raise unsupported(f"a JPEG with {precision} bits a colour")
    if marker not in _HUFFMAN_OR_ARITHMETIC | {LOSSLESS}:
        raise unsupported("a JPEG of a rare kind (hierarchical, or lossless arithmetic)")
    if height == 0:
        raise unsupported("a JPEG that tells its height only at its end")
    if not 1 <= count <= 4 or not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in sampling):
        raise cut("its frame header makes no sense")
    if width == 0:
        raise cut("it has no pixels")
    return Frame(marker, precision, width, height, sampling)


def _count_scans(source: Source, at: int) -> int:
    """Count the scans of an image with several, the first included; `at` is in its data.

    Raises Refusal for more than make sense.
    """
    if source.size > _MOST_SEVERAL_BYTES:
        raise too_much(f"has {source.size // 1_000_000} MB in several scans")
    scans = 1
    while at < source.size:
        chunk = source.up_to(at, _CHUNK)
        start = 0
        while found := _BETWEEN_SCANS.search(chunk, start):
            marker, start = chunk[found.start() + 1], found.end()
            if marker == _EOI:
                return scans
            scans += marker == _SOS
            if scans > _MOST_SCANS:
                raise too_much(f"has more than {_MOST_SCANS} scans")
            is_here = start + 2 <= len(chunk)
            length = chunk[start : start + 2] if is_here else source.up_to(at + start, 2)
            start += int.from_bytes(length)
        at += max(start, len(chunk) - 1, 1)  # a marker may lie across two chunks
    return scans


def _check_pictures(source: Source, start: int, length: int) -> None:
    """Raise Refusal if one of an MPO's further pictures is cut (CIPA DC-007, 5.2).

    Programs that write the first picture anew leave the index of pictures that are gone: such a
    file ends as a JPEG does.
    """
    index = source.at(start, length)
    orders: dict[bytes, Order] = {b"II*\0": "little", b"MM\0*": "big"}
    order = orders.get(index[:4])
    if order is None:
        return

    def number(at: int, width: int = 4) -> int:
        return int.from_bytes(index[at : at + width], order)

    directory = number(4)
    entries = range(0)
    for at in range(directory + 2, directory + 2 + 12 * min(number(directory, 2), 16), 12):
        if number(at, 2) == _MP_ENTRY:
            first = number(at + 8)
            entries = range(first, min(first + number(at + 4), length) - 15, 16)
    for at in entries[1:]:  # the first is of the file's own picture
        size, offset = number(at + 4), number(at + 8)
        if offset == 0 or size == 0:
            continue
        end = start + offset + size
        if end > source.size:
            if not _ends_as_jpeg(source):
                raise cut("one of its pictures is not whole")
        elif size > 64 and not any(source.at(end - 64, 64)):
            raise cut("one of its pictures is not whole")


def _ends_as_jpeg(source: Source) -> bool:
    tail = source.up_to(max(0, source.size - _CHUNK), _CHUNK)
    return tail.rstrip(b"\0").endswith(b"\xff\xd9")
