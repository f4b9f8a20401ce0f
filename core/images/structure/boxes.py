"""The boxes of HEIC, AVIF, JPEG XL and JPEG 2000 files (ISO/IEC 14496-12, 23008-12)."""

from __future__ import annotations

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
    zeros_before,
)
from core.images.structure.bits import av1_sides, hevc_sides, jxl_sides

_OUTERMOST = frozenset(
    {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"mpvd", b"idat", b"wide"}
    | {b"styp", b"sidx", b"moof", b"mfra", b"pdin"}
)
_MOST_JPEG_2000 = 12_000_000  # pixels, as decoded: 5 s
_MOST_BOXES = 20_000
_MOST_ASSOCIATIONS = 100_000  # a photo of 48 tiles has 300
_MOST_BODY = 1 << 20  # bytes
_PROPERTY_BYTES = 1 << 12  # as much of a property as is looked at
_CODED = {b"hvc1": "HEIC", b"av01": "AVIF"}
_PUT_TOGETHER = frozenset({b"grid", b"iden", b"iovl", b"tmap"})
_OTHER_CODECS = {
    b"avc1": "H.264",
    b"vvc1": "H.266",
    b"evc1": "MPEG-5",
    b"j2k1": "JPEG 2000",
    b"unci": "uncompressed pixels",
    b"jpeg": "JPEG",
    b"lhv1": "layered HEVC",
}
_JXL_BOXES = frozenset(
    {b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"jbrd", b"brob", b"Exif"}
    | {b"xml ", b"jumb", b"jhgm", b"free", b"skip", b"uuid"}
)
_NO_DATA = 256  # zero bytes: no AV1 image ends in so many
_HOLE, _CHUNK = bytes(64), 1 << 20  # bytes
_GREW = 2.0  # how far the coded sides may be beyond those stated: coders fill up to whole blocks


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its kind, and where its content begins and ends."""

    kind: bytes
    start: int
    end: int


@dataclass(slots=True)
class _Item:
    kind: bytes = b""
    kind_at: int = 0  # where its kind stands in the file
    extents: list[tuple[int, int]] = field(default_factory=list)  # start, length
    properties: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Heif:
    """A HEIC or AVIF."""

    structure: Structure
    besides: tuple[int, ...]  # where kinds of items and references beside the image stand


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Give the boxes between two places. Raises Refusal for one that goes beyond `end`."""
    at, count = start, 0
    while at + 8 <= end:
        count += 1
        if count > _MOST_BOXES:
            raise too_much(f"has more than {_MOST_BOXES} parts")
        head = read_at(file, at, 8)
        length, content = int.from_bytes(head[:4]), at + 8
        if length == 1:
            length, content = int.from_bytes(read_at(file, at + 8, 8)), at + 16
        elif length == 0:
            length = end - at
        if length < content - at or at + length > end:
            raise cut("a part of it is not whole")
        yield Box(head[4:8], content, at + length)
        at += length


def outermost(file: BinaryIO) -> list[Box]:
    """List a file's own boxes; what makers put behind them (Samsung does) is none.

    Raises Refusal for a file that ends within one.
    """
    size = size_of(file)
    found: list[Box] = []
    at = 0
    while at + 8 <= size:
        head = read_at(file, at, 8)
        if head[4:8] not in _OUTERMOST:
            if not any(head):
                file.seek(at)
                if not any(file.read(1 << 16)) and found[-1].kind != b"mdat":
                    raise cut("it ends in nothing but zeros")
            break
        found.append(next(boxes(file, at, size)))
        at = found[-1].end
    return found


def walk_heif(file: BinaryIO) -> Heif:
    """Walk a HEIC's or AVIF's boxes, and read what decoding its first image takes.

    Raises Refusal.
    """
    size = size_of(file)
    found = outermost(file)
    meta = next((box for box in found if box.kind == b"meta"), None)
    if meta is None:
        raise unsupported("a film, or a HEIF without a still image")
    walk = _Meta(file, meta)
    primary = walk.items.get(walk.primary)
    if primary is None:
        raise cut("it does not say which image is meant")
    if primary.kind in _OTHER_CODECS:
        raise unsupported(f"a HEIF with {_OTHER_CODECS[primary.kind]} inside")
    if primary.kind not in _CODED and primary.kind not in _PUT_TOGETHER:
        raise unsupported("a HEIF of a kind that is not known")
    parts = [primary, *walk.parts]
    for item in parts:
        walk.check(item, size)
    sides = [walk.sides(item) for item in parts]
    width, height = (max(side[axis] for side in sides) for axis in (0, 1))
    if not width or not height:
        raise unsupported("a HEIF that does not state its size")
    area = max(width * height, sum(wide * high for wide, high in sides[1:]))
    if primary.kind == b"av01" or any(item.kind == b"av01" for item in walk.parts):
        a_pixel = 16.5 if walk.is_deep else 10.5
    else:
        a_pixel = 10.0 if walk.has_full_colour else 8.0
    a_pixel += 2.5 if walk.has_more_than_colour else 0
    is_animation = any(box.kind == b"moov" for box in found)
    return Heif(
        Structure(
            width,
            height,
            round(area * a_pixel) + 64 * height,
            frames=2 if is_animation else 1,
            zeros=walk.zeros,
        ),
        besides=tuple(walk.besides),
    )


class _Meta:
    """What the box `meta` says of the items in a file."""

    def __init__(self, file: BinaryIO, meta: Box) -> None:
        self.file = file
        self.primary = -1
        self.items: dict[int, _Item] = {}
        self.besides: list[int] = []
        self.parts: list[_Item] = []  # that the primary is put together of
        self.is_deep = False
        self.has_full_colour = False  # as many pixels of colour as of brightness
        self.zeros: tuple[int, int] | None = None
        self.has_more_than_colour = False
        self._properties: list[Box] = []
        self._auxiliary: list[int] = []
        self._associations = self._extents = 0
        self._put_together: list[tuple[Box, Box]] = []
        self._ranges: set[tuple[int, int]] = set()
        self._own_data = 0  # where the box idat begins
        inner = list(boxes(file, meta.start + 4, meta.end))
        self._own_data = next((box.start for box in inner if box.kind == b"idat"), 0)
        for box in inner:
            if box.kind == b"pitm":
                body = self._body(box)
                self.primary = int.from_bytes(body[4 : 6 if body[0] == 0 else 8])
            elif box.kind == b"iinf":
                self._read_kinds(box)
            elif box.kind == b"iprp":
                self._read_properties(box)
            elif box.kind == b"iref":
                for reference in boxes(file, box.start + 4, box.end):
                    if reference.kind == b"dimg":
                        self._put_together.append((box, reference))
                    if reference.kind == b"auxl":
                        self.has_more_than_colour = True
                        self._auxiliary.append(self._referring(box, reference))
                        self.besides.append(reference.start - 4)
        for box in inner:
            if box.kind == b"iloc":
                self._read_places(box)
        for references, reference in self._put_together:
            if self._referring(references, reference) == self.primary:
                self.parts = self._referred(references, reference)
        for number in self._auxiliary:
            if number in self.items and self.items[number].kind_at:
                self.besides.append(self.items[number].kind_at)

    def sides(self, item: _Item) -> tuple[int, int]:
        """Give the sides that an item states; (0, 0) if it does not."""
        for index in item.properties:
            if 0 < index <= len(self._properties):
                box = self._properties[index - 1]
                if box.kind == b"ispe":
                    body = read_at(self.file, box.start, 12)
                    return int.from_bytes(body[4:8]), int.from_bytes(body[8:12])
        return 0, 0

    def check(self, item: _Item, size: int) -> None:
        """Raise Refusal if an item is not whole, or holds more than it states."""
        for start, length in item.extents:
            if start + length > size:
                raise cut("its image is not whole")
        if item.kind not in _CODED or not item.extents:
            return
        start, length = item.extents[-1]
        if item.kind == b"hvc1":
            self._check_hevc(item)
        elif (start, length) not in self._ranges:
            zeros = zeros_before(self.file, start, start + length)
            if zeros is not None and zeros[1] - zeros[0] >= _NO_DATA:
                raise cut("its image ends in nothing but zeros")
            self.zeros = self.zeros or zeros
        self._ranges.add((start, length))
        stated, coded = self.sides(item), self._coded_sides(item)
        if coded is not None and any(stated):
            for said, held in zip(stated, coded, strict=True):
                if held > max(_GREW * said, said + 128):
                    raise too_much(
                        f"states {stated[0]} x {stated[1]} pixels and holds {coded[0]} x {coded[1]}"
                    )

    def _check_hevc(self, item: _Item) -> None:
        """Raise Refusal for zeros in an image's data: HEVC never has three in a row."""
        for start, length in item.extents:
            if (start, length) in self._ranges:
                continue
            self._ranges.add((start, length))
            for at in range(start, start + length, _CHUNK):
                chunk = read_at(self.file, at, min(_CHUNK, start + length - at))
                if _HOLE in chunk:
                    raise cut("parts of its image are nothing but zeros")

    def _coded_sides(self, item: _Item) -> tuple[int, int] | None:
        for index in item.properties:
            if not 0 < index <= len(self._properties):
                continue
            box = self._properties[index - 1]
            if box.kind not in (b"av1C", b"hvcC"):
                continue
            body = self._body(box)
            if box.kind == b"av1C" and len(body) >= 4:
                self.is_deep |= bool(body[2] & 0x40)
                start, length = item.extents[0]
                data = read_at(self.file, start, min(length, 256))
                return av1_sides(data) or av1_sides(body[4:])
            if box.kind == b"hvcC" and len(body) > 23:
                self.has_full_colour |= body[16] & 3 != 1
                return _hevc_configuration_sides(body)
        return None

    def _body(self, box: Box) -> bytes:
        most = _PROPERTY_BYTES if box.kind in (b"av1C", b"hvcC", b"infe") else _MOST_BODY
        return read_at(self.file, box.start, min(box.end - box.start, most))

    def _referring(self, references: Box, reference: Box) -> int:
        """Give the number of the item that a reference comes from (14496-12, 8.11.12)."""
        wide = read_at(self.file, references.start, 1)[0] != 0
        return int.from_bytes(self._body(reference)[: 4 if wide else 2])

    def _referred(self, references: Box, reference: Box) -> list[_Item]:
        width = 4 if read_at(self.file, references.start, 1)[0] != 0 else 2
        body = self._body(reference)
        count = int.from_bytes(body[width : width + 2])
        numbers = [
            int.from_bytes(body[at : at + width])
            for at in range(width + 2, min(width + 2 + count * width, len(body)), width)
        ]
        return [self.items[number] for number in numbers if number in self.items]

    def _read_kinds(self, box: Box) -> None:
        wide = self._body(box)[0] != 0
        for entry in boxes(self.file, box.start + (8 if wide else 6), box.end):
            body = self._body(entry)
            if entry.kind != b"infe" or len(body) < 12 or body[0] < 2:
                continue
            at = 4 + (2 if body[0] == 2 else 4)
            item = self.items.setdefault(int.from_bytes(body[4:at]), _Item())
            item.kind, item.kind_at = body[at + 2 : at + 6], entry.start + at + 2
            if item.kind in (b"Exif", b"mime"):
                self.besides.append(item.kind_at)

    def _read_properties(self, box: Box) -> None:
        for part in boxes(self.file, box.start, box.end):
            if part.kind == b"ipco":
                self._properties = list(boxes(self.file, part.start, part.end))
            elif part.kind == b"ipma":
                self._read_associations(self._body(part))

    def _read_associations(self, body: bytes) -> None:
        wide_ids, wide_places = body[0] != 0, bool(body[3] & 1)
        at = 8
        width = 4 if wide_ids else 2
        for _ in range(int.from_bytes(body[4:8])):
            if at >= len(body):
                return
            self._associations += 1 + (body[at + width] if at + width < len(body) else 0)
            if self._associations > _MOST_ASSOCIATIONS:
                raise too_much(f"has more than {_MOST_ASSOCIATIONS} properties of its parts")
            item = self.items.setdefault(int.from_bytes(body[at : at + width]), _Item())
            at += width
            count = body[at] if at < len(body) else 0
            at += 1
            for _ in range(count):
                if wide_places:
                    item.properties.append(int.from_bytes(body[at : at + 2]) & 0x7FFF)
                elif at < len(body):
                    item.properties.append(body[at] & 0x7F)
                at += 2 if wide_places else 1

    def _read_places(self, box: Box) -> None:
        """Read where the items lie (23008-12 of 14496-12, 8.11.3)."""
        body = self._body(box)
        version = body[0]
        offset_width, length_width = body[4] >> 4, body[4] & 15
        base_width, index_width = body[5] >> 4, body[5] & 15 if version else 0
        at = 6

        def take(width: int) -> int:
            nonlocal at
            at += width
            return int.from_bytes(body[at - width : at])

        id_width = 4 if version == 2 else 2
        for _ in range(take(id_width)):
            if at >= len(body):
                return
            item = self.items.setdefault(take(id_width), _Item())
            method = take(2) & 15 if version else 0
            take(2)
            base = take(base_width)
            for _ in range(take(2)):
                self._extents += 1
                if at >= len(body) or self._extents > _MOST_BOXES:
                    return
                take(index_width)
                start, length = base + take(offset_width), take(length_width)
                if method == 1:
                    start += self._own_data
                if method <= 1:
                    item.extents.append((start, length))


def _hevc_configuration_sides(body: bytes) -> tuple[int, int] | None:
    """Find the sequence parameter set in an hvcC (ISO/IEC 14496-15, 8.3.3.1.2)."""
    at = 23
    for _ in range(body[22]):
        if at + 3 > len(body):
            return None
        count = int.from_bytes(body[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            length = int.from_bytes(body[at : at + 2])
            sides = hevc_sides(body[at + 2 : at + 2 + length])
            if sides is not None:
                return sides
            at += 2 + length
            if at > len(body):
                return None
    return None


def walk_jxl(file: BinaryIO) -> Structure:
    """Read a JPEG XL's header, and walk its boxes if it has some. Raises Refusal.

    Its decoder notices by itself where data is missing.
    """
    size = size_of(file)
    start, end = 0, size
    if read_at(file, 0, 2) == b"\xff\x0a":
        filled = zeros_before(file, 0, size)
        end = filled[0] if filled is not None and filled[0] > 2 else size
    else:
        parts, end = _jxl_parts(file, size)
        if not parts:
            raise cut("it has no image")
        start = parts[0].start + (4 if parts[0].kind == b"jxlp" else 0)
    file.seek(start)
    width, height = jxl_sides(file.read(34))
    needed = pixels_bytes(width, height, 16.5)
    return Structure(width, height, needed, lean=_Trim(end) if end < size else None)


@dataclass(frozen=True, slots=True)
class _Trim:
    """Takes off what stands behind an image, which its decoder does not take."""

    end: int

    def __call__(self, content: bytes) -> bytes:
        return content[: self.end]


def _jxl_parts(file: BinaryIO, size: int) -> tuple[list[Box], int]:
    """List the boxes with the image, and tell where the last box ends that is one."""
    parts, at = [], 0
    while at + 8 <= size and read_at(file, at + 4, 4) in _JXL_BOXES:
        box = next(boxes(file, at, size))
        if box.kind in (b"jxlc", b"jxlp"):
            parts.append(box)
        at = box.end
    return parts, at


def walk_jpeg_2000(file: BinaryIO, min_side: int) -> tuple[Structure, int]:
    """Read a JPEG 2000's header; gives how often its sides are to be halved, too.

    Its decoder leaves out the finest levels as `Jpeg.scale` does. Raises Refusal.
    """
    size = size_of(file)
    start, end = 0, size
    if read_at(file, 0, 4) != b"\xff\x4f\xff\x51":
        code = next((box for box in boxes(file, 0, size) if box.kind == b"jp2c"), None)
        if code is None:
            raise cut("it has no image")
        start, end = code.start, code.end
    head = read_at(file, start, 44)
    if head[:4] != b"\xff\x4f\xff\x51":
        raise cut("its image does not begin as one does")
    right, low, left, top = (int.from_bytes(head[at : at + 4]) for at in (8, 12, 16, 20))
    components = int.from_bytes(head[40:42])
    width, height = right - left, low - top
    halved = _halved(width, height, min_side, _levels(file, start + 2, end))
    wide, high = max(width >> halved, 1), max(height >> halved, 1)
    if wide * high > _MOST_JPEG_2000:
        raise too_much(
            f"has {width} x {height} pixels that cannot be decoded smaller, which takes long in "
            "JPEG 2000"
        )
    a_pixel = 4.5 * (components + 1) + 4.5
    needed = pixels_bytes(wide, high, a_pixel) + 2 * (end - start) + width * height // 2
    zeros = zeros_before(file, start, end) if start else None  # a bare stream may be filled up
    return Structure(width, height, needed, zeros=zeros), halved


def _halved(width: int, height: int, min_side: int, levels: int) -> int:
    """Compute how often the sides may be halved, and Pillow and its decoder agree on them.

    The one rounds half up, the other up.
    """
    most = min(width, height) // max(min_side, 1)
    for halved in range(max(0, min(levels, most.bit_length() - 1)), 0, -1):
        part = 1 << halved
        if all((side + part // 2) // part == -(-side // part) for side in (width, height)):
            return halved
    return 0


def _levels(file: BinaryIO, at: int, end: int) -> int:
    """Read how many resolutions a codestream has (ITU-T T.800, A.6.1)."""
    for _ in range(1000):
        if at + 4 > end:
            break
        head = read_at(file, at, 4)
        if head[:2] == b"\xff\x52" and at + 10 <= end:
            return read_at(file, at + 9, 1)[0]
        if head[0] != 0xFF or head[:2] == b"\xff\x90":
            break
        at += 2 + int.from_bytes(head[2:])
    return 0
