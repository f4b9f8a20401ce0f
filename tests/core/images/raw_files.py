"""Small RAW files of each format, written byte by byte, with JPEGs that Pillow makes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

SENSOR = (6000, 4000)
FULL_SIZE = (1200, 800)

Value = tuple[int, int, bytes | int]  # type, count, and the values' bytes or where they lie


def jpeg(
    size: tuple[int, int] = FULL_SIZE, *, orientation: int | None = None, **save: Any
) -> bytes:
    """Return a JPEG of a smooth picture, with EXIF if an orientation is given."""
    picture = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (picture, picture.rotate(180), picture))
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
        save["exif"] = exif
    out = io.BytesIO()
    image.convert(save.pop("mode", "RGB")).save(out, "JPEG", quality=60, **save)
    return out.getvalue()


def lossless_header(width: int, height: int, components: int) -> bytes:
    """Return the first segments of a lossless JPEG of 14 bits, as a sensor's data begin."""
    parts = b"".join(bytes([number, 0x11, 0]) for number in range(components))
    frame = struct.pack(">HBHHB", 8 + len(parts), 14, height, width, components) + parts
    return b"\xff\xd8\xff\xc3" + frame + b"\xff\xda\0\x08\x01\0\0\x01\0\0"


@dataclass
class Tiff:
    """A TIFF file being written: what is appended first comes first, directories last."""

    order: str = "<"
    magic: int = 42
    content: bytearray = field(default_factory=bytearray)  # with a header, if not empty

    def __post_init__(self) -> None:
        if not self.content:
            mark = b"II" if self.order == "<" else b"MM"
            self.content += mark + struct.pack(f"{self.order}HI", self.magic, 0)

    def append(self, blob: bytes) -> int:
        self.content += bytes(len(self.content) % 2)
        self.content += blob
        return len(self.content) - len(blob)

    def directory(self, tags: dict[int, Value], following: int = 0) -> int:
        table = struct.pack(f"{self.order}H", len(tags))
        for tag, (kind, count, values) in sorted(tags.items()):
            table += struct.pack(f"{self.order}HHI", tag, kind, count)
            if isinstance(values, int) or len(values) > 4:
                place = values if isinstance(values, int) else self.append(values)
                table += struct.pack(f"{self.order}I", place)
            else:
                table += values.ljust(4, b"\0")
        return self.append(table + struct.pack(f"{self.order}I", following))

    def finish(self, first: int) -> bytes:
        self.content[4:8] = struct.pack(f"{self.order}I", first)
        return bytes(self.content)

    def short(self, *values: int) -> Value:
        return 3, len(values), struct.pack(f"{self.order}{len(values)}H", *values)

    def long(self, *values: int) -> Value:
        return 4, len(values), struct.pack(f"{self.order}{len(values)}I", *values)

    def rational(self, *values: tuple[int, int]) -> Value:
        parts = [part for pair in values for part in pair]
        return 5, len(values), struct.pack(f"{self.order}{len(parts)}I", *parts)

    def image(
        self, width: int, height: int, photometric: int, compression: int = 1
    ) -> dict[int, Value]:
        return {
            0x0100: self.long(width),
            0x0101: self.long(height),
            0x0103: self.short(compression),
            0x0106: self.short(photometric),
        }


def text(words: str) -> Value:
    return 2, len(words) + 1, words.encode() + b"\0"


def undefined(blob: bytes) -> Value:
    return 7, len(blob), blob


def at_the_end(build: Callable[[int], bytes], last: bytes) -> bytes:
    """Return a file whose last bytes are given, and whose others say where these lie."""
    return build(len(build(0))) + last


CFA, RGB, YCBCR = 32803, 2, 6
REDUCED = 1


def dng(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    """A DNG as Adobe's converter writes it: a thumbnail, SubIFDs with the sensor and a preview."""

    def build(place: int) -> bytes:
        tiff = Tiff()
        data = tiff.image(sensor[0] + 100, sensor[1] + 300, CFA, 7)
        data |= {
            0x00FE: tiff.long(0),
            0xC620: tiff.rational((sensor[0] * 10, 10), (sensor[1], 1)),
            0x0111: tiff.long(tiff.append(lossless_header(*sensor, 1))),
            0x0117: tiff.long(40),
        }
        shown = tiff.image(*FULL_SIZE, YCBCR, 7)
        shown |= {
            0x00FE: tiff.long(REDUCED),
            0x0111: tiff.long(place),
            0x0117: tiff.long(len(preview)),
        }
        first = tiff.image(8, 4, RGB) | {
            0x00FE: tiff.long(REDUCED),
            0x010F: text("Leica"),
            0x0111: tiff.long(tiff.append(bytes(96))),
            0x0112: tiff.short(orientation),
            0x0117: tiff.long(96),
            0x014A: tiff.long(tiff.directory(data), tiff.directory(shown)),
            0xC612: (1, 4, b"\1\4\0\0"),
        }
        return tiff.finish(tiff.directory(first))

    return at_the_end(build, preview)


def cr2(
    preview: bytes,
    sensor: tuple[int, int] = SENSOR,
    orientation: int = 1,
    *,
    sensor_info: bool = True,
) -> bytes:
    """A CR2: the preview is IFD0's only strip, IFD1 to IFD3 thumbnails and the sensor's data."""
    left, top = 84, 50
    info = (34, sensor[0] + left, sensor[1] + top, 1, 1)
    borders = (left, top, left + sensor[0] - 1, top + sensor[1] - 1)

    def build(place: int) -> bytes:
        tiff = Tiff(content=bytearray(b"II*\0\0\0\0\0CR\2\0\0\0\0\0"))
        data = lossless_header(sensor[0] // 2, sensor[1], 2)
        lossless = tiff.directory(
            {
                0x0103: tiff.short(6),
                0x0111: tiff.long(tiff.append(data)),
                0x0117: tiff.long(len(data)),
            }
        )
        small = jpeg((160, 120))
        thumbnail = tiff.directory(
            {0x0201: tiff.long(tiff.append(small)), 0x0202: tiff.long(len(small))}, lossless
        )
        note = tiff.directory({0x00E0: tiff.short(*info, *borders, *[0] * 8)})
        exif = tiff.directory({0x927C: (7, 500, note)} if sensor_info else {0x9000: text("02")})
        first = tiff.image(*FULL_SIZE, YCBCR, 6) | {
            0x010F: text("Canon"),
            0x0111: tiff.long(place),
            0x0112: tiff.short(orientation),
            0x0117: tiff.long(len(preview)),
            0x8769: tiff.long(exif),
        }
        return tiff.finish(tiff.directory(first, thumbnail))

    return at_the_end(build, preview)


def with_sub_ifd(
    preview: bytes,
    orientation: int,
    describe: Callable[[Tiff], dict[int, Value]],
    *,
    maker: str,
    model: str = "another",
    order: str = "<",
) -> bytes:
    """A NEF or SRW: SubIFDs have the preview as a JPEG stream and the sensor's data."""

    def build(place: int) -> bytes:
        tiff = Tiff(order)
        shown = {0x0201: tiff.long(place), 0x0202: tiff.long(len(preview))}
        first = tiff.image(160, 120, RGB) | {
            0x00FE: tiff.long(REDUCED),
            0x010F: text(maker),
            0x0110: text(model),
            0x0112: tiff.short(orientation),
            0x014A: tiff.long(tiff.directory(shown), tiff.directory(describe(tiff))),
        }
        return tiff.finish(tiff.directory(first))

    return at_the_end(build, preview)


def nef(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    return with_sub_ifd(
        preview,
        orientation,
        lambda tiff: tiff.image(*sensor, CFA, 34713),
        maker="NIKON CORPORATION",
        order=">",
    )


def nrw(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    return with_sub_ifd(
        preview,
        orientation,
        lambda tiff: tiff.image(*sensor, CFA),
        maker="NIKON",
        model="COOLPIX P7000",
    )


def srw(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    """As Samsung's NX1 writes it: PackBits is stated, and no photometry, but a colour filter."""

    def describe(tiff: Tiff) -> dict[int, Value]:
        tags = tiff.image(*sensor, RGB, 32773)
        del tags[0x0106]
        return tags | {0x828D: tiff.short(2, 2), 0x828E: (1, 4, b"\1\0\2\1")}

    return with_sub_ifd(preview, orientation, describe, maker="SAMSUNG")


def arw(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    """An ARW of today: a smaller preview in IFD0, a full-size one in IFD2."""

    def build(place: int) -> bytes:
        tiff = Tiff()
        shown = tiff.directory({0x0201: tiff.long(place), 0x0202: tiff.long(len(preview))})
        small = jpeg((160, 107))
        thumbnail = {0x0201: tiff.long(tiff.append(small)), 0x0202: tiff.long(len(small))}
        data = tiff.image(sensor[0] + 32, sensor[1] + 400, CFA, 32767)
        data[0xC620] = tiff.long(*sensor)
        first = {
            0x00FE: tiff.long(REDUCED),
            0x0103: tiff.short(6),
            0x010F: text("SONY"),
            0x0112: tiff.short(orientation),
            0x014A: tiff.long(tiff.directory(data)),
            0x0201: tiff.long(tiff.append(small)),
            0x0202: tiff.long(len(small)),
        }
        return tiff.finish(tiff.directory(first, tiff.directory(thumbnail, shown)))

    return at_the_end(build, preview)


def pef(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    """A PEF: IFD0 is the sensor's data, IFD2 the preview."""

    def build(place: int) -> bytes:
        tiff = Tiff(">")
        shown = {0x0201: tiff.long(place), 0x0202: tiff.long(len(preview))}
        small = jpeg((160, 120))
        thumbnail = {0x0201: tiff.long(tiff.append(small)), 0x0202: tiff.long(len(small))}
        first = tiff.image(*sensor, CFA, 65535) | {
            0x010F: text("PENTAX"),
            0x0112: tiff.short(orientation),
        }
        following = tiff.directory(thumbnail, tiff.directory(shown))
        return tiff.finish(tiff.directory(first, following))

    return at_the_end(build, preview)


def _olympus_note(writer: Tiff, head: bytes, place: int, length: int) -> None:
    """Write a maker note whose only tag, CameraSettings, points to the directory behind it."""
    start = 0 if writer.content == head else writer.append(head)
    settings = start + len(head) + 18
    old = head.startswith(b"OLYMP\0")  # there the tag holds the directory as bytes
    writer.directory({0x2020: (7, 30, settings) if old else (13, 1, writer.long(settings)[2])})
    shown = {0x0101: writer.long(max(place, 0)), 0x0102: writer.long(length)}
    assert writer.directory(shown) == settings


def orf(
    preview: bytes,
    sensor: tuple[int, int] = SENSOR,
    orientation: int = 1,
    *,
    note_head: bytes = b"OLYMPUS\0II\3\0",
    magic: int = 0x4F52,
    order: str = "<",
) -> bytes:
    """An ORF: the maker note's CameraSettings point to the preview, from the note's start."""

    def build(place: int) -> bytes:
        tiff = Tiff(order, magic)
        note = len(tiff.content)
        if note_head.startswith(b"OLYMP\0"):  # its offsets count from the file's start
            _olympus_note(tiff, note_head, place, len(preview))
        else:
            alone = Tiff(order, content=bytearray(note_head))
            _olympus_note(alone, note_head, place - note, len(preview))
            tiff.append(bytes(alone.content))
        first = tiff.image(*sensor, RGB) | {
            0x010F: text("OLYMPUS IMAGING CORP."),
            0x0112: tiff.short(orientation),
            0x8769: tiff.long(tiff.directory({0x927C: (7, 60, note)})),
        }
        return tiff.finish(tiff.directory(first))

    return at_the_end(build, preview)


def rw2(preview: bytes, sensor: tuple[int, int] = SENSOR, orientation: int = 1) -> bytes:
    """An RW2: the preview is the bytes of the tag JpgFromRaw, the sensor has borders."""

    def build(place: int) -> bytes:
        tiff = Tiff(magic=0x55)
        first = {
            0x0002: tiff.short(sensor[0] + 500),
            0x0003: tiff.short(sensor[1] + 20),
            0x0004: tiff.short(6),
            0x0005: tiff.short(8),
            0x0006: tiff.short(6 + sensor[1]),
            0x0007: tiff.short(8 + sensor[0]),
            0x002E: (7, len(preview), place),
            0x010F: text("Panasonic"),
            0x0112: tiff.short(orientation),
        }
        return tiff.finish(tiff.directory(first))

    return at_the_end(build, preview)


def raf(
    preview: bytes,
    sensor: tuple[int, int] = SENSOR,
    orientation: int = 1,
    *,
    records: tuple[tuple[int, bytes], ...] | None = None,
) -> bytes:
    """A RAF: the preview has its own EXIF, which `orientation` does not change."""
    if records is None:
        records = (
            (0x0100, struct.pack(">HH", sensor[1] + 400, sensor[0] + 30)),
            (0x0110, struct.pack(">HH", 6, 16)),
            (0x0111, struct.pack(">HH", sensor[1], sensor[0])),
            (0x0131, bytes(36)),
        )
    table = struct.pack(">I", len(records))
    for tag, value in records:
        table += struct.pack(">HH", tag, len(value)) + value

    def build(place: int) -> bytes:
        head = b"FUJIFILMCCD-RAW 0201FF389501" + b"X-T2".ljust(32, b"\0") + b"0110" + bytes(20)
        return head + struct.pack(">6I", place, len(preview), 108, len(table), 0, 0) + table

    return at_the_end(build, preview)


def box(kind: bytes, *payload: bytes) -> bytes:
    content = b"".join(payload)
    return struct.pack(">I", 8 + len(content)) + kind + content


def _track(entry: bytes, place: int, length: int) -> bytes:
    tables = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        box(b"stsz", struct.pack(">III", 0, length, 1)),
        box(b"co64", struct.pack(">IIQ", 0, 1, place)),
    )
    return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"minf", tables)))


def _craw(size: tuple[int, int], *inside: bytes) -> bytes:
    return box(b"CRAW", bytes(7) + b"\1", bytes(16), struct.pack(">HH", *size), bytes(54), *inside)


def cr3(
    preview: bytes,
    sensor: tuple[int, int] = SENSOR,
    orientation: int = 1,
    *,
    crop: bool = True,
    sensor_info: bool = True,
    smaller: bytes = b"",
) -> bytes:
    """A CR3: tracks with the preview, a small coded image and the sensor's data with its crop."""
    borders = (276, 46, 276 + sensor[0] - 1, 46 + sensor[1] - 1)
    image, note = Tiff(), Tiff()
    cmt1 = image.finish(image.directory({0x0112: image.short(orientation)}))
    info = {0x00E0: note.short(34, 0, 0, 0, 0, *borders)} if sensor_info else {1: note.short(0)}
    cmt3 = note.finish(note.directory(info))

    def coded(size: tuple[int, int], flag: int, area: tuple[int, ...]) -> bytes:
        areas = struct.pack(">IHHHHI4H", 0, *size, 1, flag, 1 << 16, *area) + bytes(24)
        dimensions = box(b"CDI1", bytes(4), box(b"IAD1", areas)) if crop else b""
        return _craw(size, box(b"CMP1", bytes(52)), dimensions, box(b"free", bytes(2)))

    def build(place: int) -> bytes:
        metadata = box(
            b"uuid",
            bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"),
            box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00"),
            box(b"CMT1", cmt1),
            box(b"CMT3", cmt3),
        )
        movie = box(
            b"moov",
            metadata,
            _track(_craw(FULL_SIZE, box(b"JPEG", bytes(4))), place, len(preview)),
            _track(coded((1624, 1080), 0, (1, 0, 1620, 1079)), place, 10),
            _track(coded((sensor[0] + 288, sensor[1] + 56), 2, borders), place, 10),
        )
        shown = struct.pack(">IHHHHI", 0, 1, 1620, 1080, 1, len(smaller)) + smaller
        second = box(
            b"uuid",
            bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"),
            bytes(8),
            box(b"PRVW", shown),
        )
        start = box(b"ftyp", b"crx \0\0\0\1crx isom") + movie + second
        return start + struct.pack(">I4sQ", 1, b"mdat", 16 + len(preview))

    return at_the_end(build, preview)


FORMATS: dict[str, Callable[..., bytes]] = {
    "DNG": dng,
    "Canon CR2": cr2,
    "Canon CR3": cr3,
    "Nikon NEF": nef,
    "Nikon NRW": nrw,
    "Sony ARW": arw,
    "Fujifilm RAF": raf,
    "Olympus ORF": orf,
    "Panasonic RW2": rw2,
    "Pentax PEF": pef,
    "Samsung SRW": srw,
}
