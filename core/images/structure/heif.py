"""HEIC and AVIF files: the image that is meant, and whether it is whole (ISO/IEC 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.images.structure.base import Source, Structure, cut, too_much, unsupported
from core.images.structure.bits import Fields, av1_sides, hevc_configuration_sides
from core.images.structure.boxes import MOST_BOXES, Box, boxes

_OUTERMOST = frozenset(
    {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"uuid", b"mpvd", b"idat", b"wide"}
    | {b"styp", b"sidx", b"moof", b"mfra", b"pdin"}
)
_MOST_ASSOCIATIONS = 100_000  # a photo of 48 tiles has 300
_MOST_BODY = 1 << 20  # bytes
_PROPERTY_BYTES = 1 << 12  # of a codec's configuration, as much as is read
_CODED = frozenset({b"hvc1", b"av01"})
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
_NO_DATA = 256  # zero bytes: no AV1 image ends in so many
_HOLE, _CHUNK = bytes(64), 1 << 20  # bytes
_GREW = 2.0  # how far the coded sides may be beyond those stated: coders fill up to whole blocks


@dataclass(slots=True)
class _Item:
    kind: bytes = b""
    kind_at: int = 0  # where its kind stands in the file
    extents: list[tuple[int, int]] = field(default_factory=list)  # start, length
    properties: list[int] = field(default_factory=list)


def walk_heif(source: Source) -> Structure:
    """Walk a HEIC's or AVIF's boxes, and read what decoding its first image takes.

    Raises Refusal.
    """
    found = _outermost(source)
    meta = next((box for box in found if box.kind == b"meta"), None)
    if meta is None:
        raise unsupported("a film, or a HEIF without a still image")
    walk = _Meta(source, meta)
    primary = walk.items.get(walk.primary)
    if primary is None:
        raise cut("it does not say which image is meant")
    if primary.kind in _OTHER_CODECS:
        raise unsupported(f"a HEIF with {_OTHER_CODECS[primary.kind]} inside")
    if primary.kind not in _CODED | _PUT_TOGETHER:
        raise unsupported("a HEIF of a kind that is not known")
    images = [primary, *walk.parts]
    for item in images:
        walk.check(item)
    sides = [walk.sides(item) for item in images]
    width, height = (max(side[axis] for side in sides) for axis in (0, 1))
    if not width or not height:
        raise unsupported("a HEIF that does not state its size")
    area = max(width * height, sum(wide * high for wide, high in sides[1:]))
    if any(item.kind == b"av01" for item in images):
        a_pixel = 16.5 if walk.is_deep else 10.5
    else:
        a_pixel = 10.0 if walk.has_full_colour else 8.0
    a_pixel += 2.5 if walk.has_more_than_colour else 0
    return Structure(
        width,
        height,
        round(area * a_pixel) + 64 * height,
        frames=2 if any(box.kind == b"moov" for box in found) else 1,
        zeros=walk.zeros,
        besides=tuple(walk.besides),
    )


def _outermost(source: Source) -> list[Box]:
    """Return a file's own boxes; what makers put behind them (Samsung does) is none.

    Raises Refusal for a file that ends within one.
    """
    found: list[Box] = []
    at = 0
    while at + 8 <= source.size:
        head = source.at(at, 8)
        if head[4:8] not in _OUTERMOST:
            is_zero = not any(source.up_to(at, 1 << 16))
            if is_zero and found[-1].kind != b"mdat":
                raise cut("it ends in nothing but zeros")
            break
        found.append(next(boxes(source, at, source.size)))
        at = found[-1].end
    return found


class _Meta:
    """What the box `meta` states of the items in a file."""

    def __init__(self, source: Source, meta: Box) -> None:
        self.source = source
        self.primary = -1
        self.items: dict[int, _Item] = {}
        self.besides: list[int] = []  # where kinds of items and references beside the image stand
        self.parts: list[_Item] = []  # that the primary is put together of
        self.is_deep = False
        self.has_full_colour = False  # as many pixels of colour as of brightness
        self.has_more_than_colour = False
        self.zeros: tuple[int, int] | None = None
        self._properties: list[Box] = []
        self._associations = self._extents = 0
        self._checked: set[tuple[int, int]] = set()
        inner = list(boxes(source, meta.start + 4, meta.end))
        self._own_data = next((box.start for box in inner if box.kind == b"idat"), 0)
        readers = {
            b"pitm": self._read_primary,
            b"iinf": self._read_kinds,
            b"iprp": self._read_properties,
            b"iloc": self._read_places,
        }
        for box in inner:
            if box.kind in readers:
                readers[box.kind](box)
        for box in inner:
            if box.kind == b"iref":
                self._read_references(box)

    def sides(self, item: _Item) -> tuple[int, int]:
        """Return the sides that an item states; (0, 0) if it does not."""
        for box in self._properties_of(item):
            if box.kind == b"ispe":
                return self.source.number(box.start + 4, 4), self.source.number(box.start + 8, 4)
        return 0, 0

    def check(self, item: _Item) -> None:
        """Raise Refusal if an item is not whole, or holds more than it states."""
        for start, length in item.extents:
            if start + length > self.source.size:
                raise cut("its image is not whole")
        if item.kind not in _CODED or not item.extents:
            return
        if item.kind == b"hvc1":
            self._check_hevc(item)
        else:
            self._check_av1(*item.extents[-1])
        stated, coded = self.sides(item), self._coded_sides(item)
        if coded is not None and any(stated):
            for side, held in zip(stated, coded, strict=True):
                if held > max(_GREW * side, side + 128):
                    raise too_much(
                        f"states {stated[0]} x {stated[1]} pixels and holds {coded[0]} x {coded[1]}"
                    )

    def _check_hevc(self, item: _Item) -> None:
        """Raise Refusal for zeros in an image's data: HEVC never has three in a row."""
        for start, length in item.extents:
            if (start, length) in self._checked:
                continue
            self._checked.add((start, length))
            for at in range(start, start + length, _CHUNK):
                if _HOLE in self.source.at(at, min(_CHUNK, start + length - at)):
                    raise cut("parts of its image are nothing but zeros")

    def _check_av1(self, start: int, length: int) -> None:
        if (start, length) in self._checked:
            return
        self._checked.add((start, length))
        zeros = self.source.zeros_before(start, start + length)
        if zeros is not None and zeros[1] - zeros[0] >= _NO_DATA:
            raise cut("its image ends in nothing but zeros")
        self.zeros = self.zeros or zeros

    def _coded_sides(self, item: _Item) -> tuple[int, int] | None:
        for box in self._properties_of(item):
            if box.kind not in (b"av1C", b"hvcC"):
                continue
            body = self._body(box, _PROPERTY_BYTES)
            if box.kind == b"av1C" and len(body) >= 4:
                self.is_deep |= bool(body[2] & 0x40)
                start, length = item.extents[0]
                return av1_sides(self.source.at(start, min(length, 256))) or av1_sides(body[4:])
            if box.kind == b"hvcC" and len(body) > 23:
                self.has_full_colour |= body[16] & 3 != 1
                return hevc_configuration_sides(body)
        return None

    def _properties_of(self, item: _Item) -> Iterator[Box]:
        for index in item.properties:
            if 0 < index <= len(self._properties):
                yield self._properties[index - 1]

    def _body(self, box: Box, most: int = _MOST_BODY) -> bytes:
        return self.source.at(box.start, min(box.end - box.start, most))

    def _read_primary(self, box: Box) -> None:
        is_wide = self._body(box)[0] != 0
        self.primary = int.from_bytes(self._body(box)[4 : 8 if is_wide else 6])

    def _read_kinds(self, box: Box) -> None:
        is_wide = self._body(box)[0] != 0
        for entry in boxes(self.source, box.start + (8 if is_wide else 6), box.end):
            body = self._body(entry, _PROPERTY_BYTES)
            if entry.kind != b"infe" or len(body) < 12 or body[0] < 2:
                continue
            at = 4 + (2 if body[0] == 2 else 4)
            item = self.items.setdefault(int.from_bytes(body[4:at]), _Item())
            item.kind, item.kind_at = body[at + 2 : at + 6], entry.start + at + 2
            if item.kind in (b"Exif", b"mime"):
                self.besides.append(item.kind_at)

    def _read_properties(self, box: Box) -> None:
        for part in boxes(self.source, box.start, box.end):
            if part.kind == b"ipco":
                self._properties = list(boxes(self.source, part.start, part.end))
            elif part.kind == b"ipma":
                self._read_associations(self._body(part))

    def _read_associations(self, body: bytes) -> None:
        """Read which item has which properties (23008-12, 9.3)."""
        id_width, place_width = 4 if body[0] else 2, 2 if body[3] & 1 else 1
        most = (1 << (8 * place_width - 1)) - 1  # the highest bit says whether it is essential
        fields = Fields(body, 4)
        for _ in range(fields.take(4)):
            if fields.is_over:
                return
            item = self.items.setdefault(fields.take(id_width), _Item())
            count = fields.take(1)
            self._associations += 1 + count
            if self._associations > _MOST_ASSOCIATIONS:
                raise too_much(f"has more than {_MOST_ASSOCIATIONS} properties of its parts")
            for _ in range(count):
                item.properties.append(fields.take(place_width) & most)

    def _read_places(self, box: Box) -> None:
        """Read where the items lie (14496-12, 8.11.3)."""
        body = self._body(box)
        version = body[0]
        offset_width, length_width = body[4] >> 4, body[4] & 15
        base_width, index_width = body[5] >> 4, body[5] & 15 if version else 0
        id_width = 4 if version == 2 else 2
        fields = Fields(body, 6)
        for _ in range(fields.take(id_width)):
            if fields.is_over:
                return
            item = self.items.setdefault(fields.take(id_width), _Item())
            method = fields.take(2) & 15 if version else 0
            fields.take(2)
            base = fields.take(base_width)
            for _ in range(fields.take(2)):
                self._extents += 1
                if fields.is_over or self._extents > MOST_BOXES:
                    return
                fields.take(index_width)
                start, length = base + fields.take(offset_width), fields.take(length_width)
                if method <= 1:
                    item.extents.append((start + self._own_data * method, length))

    def _read_references(self, box: Box) -> None:
        """Read what the image is put together of, and what is beside it (14496-12, 8.11.12)."""
        width = 4 if self._body(box)[0] else 2
        for reference in boxes(self.source, box.start + 4, box.end):
            origin = int.from_bytes(self._body(reference, width))
            if reference.kind == b"dimg" and origin == self.primary:
                fields = Fields(self._body(reference), width)
                numbers = [fields.take(width) for _ in range(fields.take(2)) if not fields.is_over]
                self.parts = [self.items[number] for number in numbers if number in self.items]
            elif reference.kind == b"auxl":
                self.has_more_than_colour = True
                self.besides.append(reference.start - 4)
                if origin in self.items and self.items[origin].kind_at:
                    self.besides.append(self.items[origin].kind_at)
