"""RAW files: recognized by their bytes, and their own full-size JPEG found."""

from __future__ import annotations

import io
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.raw.kinds import raw_kind
from core.images.raw.preview import Preview, full_size_preview, is_cut
from core.images.structure.base import Source
from tests.core.images.raw_files import (
    CFA,
    FORMATS,
    FULL_SIZE,
    REDUCED,
    RGB,
    SENSOR,
    YCBCR,
    Tiff,
    at_the_end,
    box,
    cr2,
    cr3,
    jpeg,
    lossless_header,
    nef,
    orf,
    raf,
    rw2,
    text,
)

every_format = pytest.mark.parametrize("kind", FORMATS)


def preview_of(content: bytes) -> Preview | None:
    source = Source(io.BytesIO(content))
    kind = raw_kind(source)
    return full_size_preview(source, kind) if kind else None


def is_cut_short(content: bytes) -> bool:
    """Return whether a file whose preview is whole is cut all the same."""
    source, preview = Source(io.BytesIO(content)), preview_of(content)
    assert preview is not None
    return is_cut(source, raw_kind(source) or "", preview)


def kind_of(content: bytes) -> str | None:
    return raw_kind(Source(io.BytesIO(content)))


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    reads = 0
    amount = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.reads += 1
        self.amount += len(found)
        return found


@every_format
def test_the_preview_is_found_and_decodes(kind: str) -> None:
    """In each format the preview's place, size and turn are the ones that were written."""
    is_raf = kind == "Fujifilm RAF"  # whose orientation is in its JPEG
    own = jpeg(orientation=6 if is_raf else None)
    content = FORMATS[kind](own, orientation=6)
    found = preview_of(content)
    turn = None if is_raf else 6
    assert found == Preview(len(content) - len(own), len(own), *FULL_SIZE, orientation=turn)
    assert open_image(content, min_side=FULL_SIZE[1]).size == FULL_SIZE[::-1]
    with Image.open(io.BytesIO(content[found.offset : found.offset + found.length])) as image:
        image.load()
        assert image.size == FULL_SIZE


@every_format
def test_each_format_is_named(kind: str) -> None:
    """A RAW file is recognized by its own bytes, with or without a preview that can be used."""
    assert kind_of(FORMATS[kind](jpeg())) == kind
    assert kind_of(FORMATS[kind](jpeg((160, 120)))) == kind


@every_format
def test_another_aspect_is_refused(kind: str) -> None:
    """A preview that was cropped otherwise than the sensor does not show the whole picture."""
    assert preview_of(FORMATS[kind](jpeg((1200, 675)))) is None
    assert preview_of(FORMATS[kind](jpeg((1200, 812)))) is None  # 1.5 %
    assert preview_of(FORMATS[kind](jpeg((1200, 808)))) is not None  # 1 %


@every_format
def test_a_small_preview_is_refused(kind: str) -> None:
    """A thumbnail of less than 1,000 px is nothing to judge a photo by."""
    assert preview_of(FORMATS[kind](jpeg((999, 666)))) is None
    assert preview_of(FORMATS[kind](jpeg((1000, 667)))) is not None


@every_format
def test_a_cut_file_has_no_preview(kind: str) -> None:
    """A preview that the file does not hold to its last byte is none."""
    content = FORMATS[kind](jpeg())
    for left in (len(content) - 1, len(content) - 4000, 300, 100, 33, 10, 1, 0):
        assert preview_of(content[:left]) is None


@every_format
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lossless_header(*FULL_SIZE, 3), id="lossless"),
        pytest.param(jpeg(mode="CMYK"), id="four colours"),
        pytest.param(jpeg().replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"), id="12 bits"),
        pytest.param(jpeg().replace(b"\x08\x03\x20\x04\xb0", b"\x08\0\0\x04\xb0"), id="no height"),
        pytest.param(b"\xff\xd8\xff\xda" + jpeg()[4:], id="no frame"),
        pytest.param(b"\0" + jpeg(), id="no JPEG"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_common_decoders_do_not_show_is_refused(kind: str, other: bytes) -> None:
    """Only a JPEG of 8 bits, grey or in three colours, whose size is stated, is a preview."""
    assert preview_of(FORMATS[kind](other)) is None


def test_progressive_and_grey_previews_are_found() -> None:
    """Previews need not be baseline, nor in colour."""
    assert preview_of(nef(jpeg(progressive=True))) is not None
    assert preview_of(nef(jpeg(mode="L"))) is not None


@every_format
def test_a_portrait_preview_is_turned_already(kind: str) -> None:
    """A JPEG with its sides swapped against the sensor's is not turned once more."""
    content = FORMATS[kind](jpeg((800, 1200)), orientation=6)
    assert open_image(content, min_side=800).size == (800, 1200)


def test_an_orientation_that_is_none_counts_as_upright() -> None:
    """Only 1 to 8 are orientations; the JPEG's own EXIF is the second to be asked."""

    def corners(content: bytes) -> list[int]:
        picture = open_image(content, min_side=800).convert("L").resize((2, 2))
        return [value // 32 for value in picture.tobytes()]

    assert corners(nef(jpeg(), orientation=0)) == corners(jpeg())
    assert corners(nef(jpeg(orientation=8), orientation=9)) == corners(jpeg(orientation=8))
    assert corners(nef(jpeg(orientation=8), orientation=6)) == corners(jpeg(orientation=6))
    assert corners(jpeg(orientation=8)) != corners(jpeg(orientation=6)) != corners(jpeg())


def test_the_largest_preview_wins() -> None:
    """Of several previews with the sensor's aspect the one with most pixels is taken."""
    small = jpeg((1080, 720))
    content = cr3(jpeg(), smaller=small)
    assert getattr(preview_of(content), "width", None) == 1200
    content = cr3(jpeg((1200, 675)), smaller=small)
    found = preview_of(content)
    assert found is not None
    assert content[found.offset : found.offset + found.length] == small


def test_canon_sensor_sizes_are_found_where_they_are() -> None:
    """SensorInfo, the crop in CR3's IAD1 and the size of the data are each enough."""
    assert preview_of(cr2(jpeg(), sensor_info=False)) is not None
    assert preview_of(cr2(jpeg((1200, 675)), sensor_info=False)) is None
    assert preview_of(cr3(jpeg(), sensor_info=False)) is not None
    assert preview_of(cr3(jpeg(), crop=False)) is not None
    # the data's borders make 3.4 % here, as in EOS M50's 6288 x 4056 of 6000 x 4000
    assert preview_of(cr3(jpeg(), crop=False, sensor_info=False)) is None
    whole = jpeg((1200, 774))
    assert preview_of(cr3(whole, crop=False, sensor_info=False)) is not None


@pytest.mark.parametrize(
    "records",
    [
        ((0x0121, struct.pack(">HH", 4000, 6000)),),
        ((0x0100, struct.pack(">HH", 4000, 6000)),),
        ((0x0130, b"\x8c\0\0\0"), (0x0121, struct.pack(">HH", 2000, 12000))),  # SuperCCD
        ((0x2000, bytes(300)), (0x0111, struct.pack(">HH", 4000, 6000))),
    ],
)
def test_fujifilm_sensor_sizes(records: tuple[tuple[int, bytes], ...]) -> None:
    """Fujifilm's cameras state the sensor's size in several tags, height first."""
    assert preview_of(raf(jpeg(), records=records)) is not None
    assert preview_of(raf(jpeg((1200, 900)), records=records)) is None


def test_a_raf_that_states_no_size_has_no_preview() -> None:
    """Without the sensor's aspect nothing says that a preview shows the whole picture."""
    assert preview_of(raf(jpeg(), records=())) is None
    assert preview_of(raf(jpeg(), records=((0x0111, b"\0\0"),))) is None


@pytest.mark.parametrize(
    ("head", "magic", "order"),
    [
        (b"OLYMPUS\0II\3\0", 0x5352, "<"),
        (b"OLYMPUS\0MM\3\0", 0x4F52, ">"),
        (b"OM SYSTEM\0\0\0II\4\0", 0x4F52, "<"),
        (b"OLYMP\0\1\0", 0x4F52, "<"),
    ],
)
def test_olympus_maker_notes(head: bytes, magic: int, order: str) -> None:
    """All of Olympus's maker notes that have CameraSettings lead to the preview."""
    content = orf(jpeg(), note_head=head, magic=magic, order=order)
    assert kind_of(content) == "Olympus ORF"
    assert preview_of(content) is not None


def phone_dng(**crop: Any) -> bytes:
    """Return a DNG whose IFD0 is a JPEG preview, as phones write it, with tags of the sensor's."""

    def build(place: int) -> bytes:
        tiff = Tiff()
        data = tiff.image(6000, 4000, 34892, 7)
        data |= {
            int(tag[1:], 16): getattr(tiff, how)(*values) for tag, (how, *values) in crop.items()
        }
        first = tiff.image(*FULL_SIZE, YCBCR, 7) | {
            0x00FE: tiff.long(REDUCED),
            0x0111: tiff.long(place),
            0x0117: tiff.long(len(jpeg())),
            0x014A: tiff.long(tiff.directory(data)),
            0xC612: (1, 4, b"\1\6\0\0"),
        }
        return tiff.finish(tiff.directory(first))

    return at_the_end(build, jpeg())


def test_dng_crops() -> None:
    """DNG's crop, active area and scale decide the aspect, the first that is stated."""
    square = ("rational", (3000, 1), (3000, 1))
    assert preview_of(phone_dng()) is not None
    assert preview_of(phone_dng(xC620=("short", 3000, 2000))) is not None
    assert preview_of(phone_dng(xC620=square)) is None
    assert preview_of(phone_dng(xC620=square, xC61E=("rational", (3, 2), (1, 1)))) is not None
    assert preview_of(phone_dng(xC68D=("long", 0, 100, 3000, 4600))) is not None
    assert preview_of(phone_dng(xC68D=("long", 0, 0, 3000, 3000))) is None
    assert preview_of(phone_dng(xC620=("rational", (3000, 0), (2000, 1)))) is not None  # no size


def test_kinds_by_maker() -> None:
    """Kinds go by the maker; a sensor's data without one are TIFF/EP."""

    def sensor_of(maker: str, photometric: int = CFA, compression: int = 1) -> str | None:
        tiff = Tiff()
        tags = tiff.image(*SENSOR, photometric, compression) | {0x010F: text(maker)}
        return kind_of(tiff.finish(tiff.directory(tags)))

    assert sensor_of("Hasselblad") == "Hasselblad 3FR"
    assert sensor_of("SEIKO EPSON CORP.") == "Epson ERF"
    assert sensor_of("NIKON CORPORATION", RGB, 34713) == "Nikon NEF"
    assert sensor_of("unknown") == "TIFF/EP"
    assert sensor_of("SAMSUNG", RGB, 32770) == "Samsung SRW"
    assert sensor_of("unknown", RGB, 34713) is None
    assert sensor_of("NIKON CORPORATION", RGB) is None


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "Canon CR3"),
        (b"II\x1a\0\0\0HEAPCCDR\2\0\1\0", "Canon CRW"),
        (b"II*\0\x10\0\0\0CR\2\0", "Canon CR2"),
        (b"FUJIFILMCCD-RAW 0201FF389501", "Fujifilm RAF"),
        (b"IIRO\x08\0\0\0", "Olympus ORF"),
        (b"IIRS\x08\0\0\0", "Olympus ORF"),
        (b"MMOR\0\0\0\x08", "Olympus ORF"),
        (b"IIU\0\x18\0\0\0", "Panasonic RW2"),
        (b"FOVb\2\0\2\0", "Sigma X3F"),
        (b"\0MRM\0\0\0\0", "Minolta MRW"),
        (b"II*\0\x10\0\0\0IIIITwaR", "Phase One IIQ"),
        (b"MM\0*\0\0\0\x08MMMMRawT", "Phase One IIQ"),
        (b"II*\0\x08\0\0\0IIII\0\0\0\0", None),
        (b"II*\0\x08\0\0\0\x0f\0", None),
        (b"MM\0*\0\0\0\x08", None),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\0\0\0\x18ftypheic", None),
        (b"", None),
    ],
)
def test_first_bytes(header: bytes, kind: str | None) -> None:
    """Formats with a magic of their own are recognized by 32 bytes, and nothing else is."""
    assert kind_of(header.ljust(32, b"\0") if header else header) == kind


def test_ordinary_tiffs_are_not_raw(tmp_path: Path) -> None:
    """No TIFF that Pillow writes is called RAW: pages, JPEG, grey, 16 bits, a camera's tags."""
    image = Image.new("RGB", (60, 40), "red")
    exif = Image.Exif()
    exif[0x010F] = "NIKON CORPORATION"
    exif[0x0112] = 6
    ways: dict[str, Callable[[Path], None]] = {
        "plain": lambda path: image.save(path),
        "camera": lambda path: image.save(path, exif=exif),
        "pages": lambda path: image.save(path, save_all=True, append_images=[image] * 40),
        "jpeg": lambda path: image.save(path, compression="jpeg"),
        "lzw": lambda path: image.save(path, compression="tiff_lzw"),
        "grey": lambda path: image.convert("L").save(path),
        "deep": lambda path: Image.new("I;16", (60, 40)).save(path),
        "big": lambda path: image.save(path, big_tiff=True),
    }
    for name, save in ways.items():
        path = tmp_path / f"{name}.tif"
        save(path)
        assert kind_of(path.read_bytes()) is None, name


def test_a_tiff_with_a_jpeg_beside_it_is_not_raw() -> None:
    """A TIFF with a JPEG thumbnail and tags left over from a DNG is a TIFF, opened as one."""

    def build(place: int) -> bytes:
        tiff = Tiff()
        thumbnail = {0x0201: tiff.long(place), 0x0202: tiff.long(len(jpeg()))}
        first = tiff.image(*FULL_SIZE, RGB) | {
            0x00FE: tiff.long(0),
            0x010F: text("NIKON CORPORATION"),
            0x828E: (1, 4, b"\0\1\1\2"),  # CFAPattern, as copied by a converter
            0xC612: (1, 4, b"\1\4\0\0"),
        }
        return tiff.finish(tiff.directory(first, tiff.directory(thumbnail)))

    content = at_the_end(build, jpeg())
    assert kind_of(content) is None
    assert preview_of(content) is None


@pytest.mark.parametrize(
    "content", [b"", b"II", b"II*\0", jpeg(), b"\0" * 100, b"FOVb" + bytes(99)]
)
def test_other_files_have_no_preview(content: bytes) -> None:
    """A file that is no RAW, or one whose previews are not known, has none."""
    assert preview_of(content) is None


@every_format
def test_little_is_read(kind: str) -> None:
    """A file is not read as a whole, however large: a few KB in a few hundred reads."""
    content = FORMATS[kind](jpeg() + bytes(5_000_000))
    file = Counted(content)
    assert full_size_preview(Source(file), kind) is not None
    assert file.amount < 20_000
    assert file.reads < 500


def looping_tiff() -> bytes:
    """Return directories that point to themselves and each other, with 500 tags each."""
    tiff = Tiff(content=bytearray(b"II*\0\x08\0\0\0"))
    here = [8 + n * 8000 for n in range(100)]
    for n, place in enumerate(here):
        tiff.content += bytes(place - len(tiff.content))
        tags = {0x8000 + tag: tiff.long(tag) for tag in range(500)}
        tags[0x0106] = tiff.short(CFA)
        tags[0x014A] = (4, 100, 700_000)
        tiff.directory(tags, here[(n * 7) % 100])
    tiff.content += bytes(700_000 - len(tiff.content)) if len(tiff.content) < 700_000 else b""
    tiff.content[700_000:700_400] = struct.pack("<100I", *here)
    return bytes(tiff.content)


def many_segments() -> bytes:
    """Return a NEF whose preview is 60,000 empty EXIF segments."""
    return nef(b"\xff\xd8" + b"\xff\xe1\0\x08Exif\0\0" * 60_000)


def boxes_within_boxes() -> bytes:
    """Return a CR3 of 100 tracks of 1,000 boxes each, many of them of no size."""
    inner = box(b"free") * 1000
    for kind in (b"stsd", b"stbl", b"minf", b"mdia"):
        inner = box(kind, inner) * 3
    tracks = box(b"trak", inner) * 100
    return box(b"ftyp", b"crx \0\0\0\1") + box(b"moov", tracks) + bytes(8) * 1000


@pytest.mark.parametrize("build", [looping_tiff, many_segments, boxes_within_boxes])
def test_hostile_files_end(build: Callable[[], bytes]) -> None:
    """Loops, and more directories, segments and boxes than any camera writes, cost little."""
    file = Counted(build())
    started = time.process_time()
    kind = raw_kind(Source(file))
    assert kind is not None
    assert full_size_preview(Source(file), kind) is None
    assert file.reads < 30_000
    assert file.amount < 2_000_000
    assert time.process_time() - started < 2


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 0xFFFFFFFF])
def test_box_sizes(size: int) -> None:
    """A box of any stated size is followed by the end, never by an exception."""
    start = box(b"ftyp", b"crx \0\0\0\1")
    assert preview_of(start + struct.pack(">I4sQ", size, b"moov", 2**64 - 1) + bytes(99)) is None


def test_absurd_offsets() -> None:
    """Offsets and counts at the end of what 32 bits hold lead nowhere."""
    content = bytearray(rw2(jpeg()))
    place = content.index(struct.pack("<HH", 0x2E, 7))
    for count, offset in ((2**32 - 1, 8), (8, 2**32 - 1), (2**32 - 1, 2**32 - 1), (0, 0)):
        content[place + 4 : place + 12] = struct.pack("<II", count, offset)
        assert preview_of(bytes(content)) is None


@every_format
def test_mutated_files_neither_raise_nor_take_long(kind: str) -> None:
    """500 files with bytes changed, cut or zeroed give a preview inside the file, or none."""
    choose = random.Random(kind)
    own = jpeg()
    content = FORMATS[kind](own)
    head = len(content) - len(own) + 700  # where structure is: the picture's own data matter not
    for _ in range(500):
        changed = bytearray(content)
        for _ in range(choose.choice((1, 1, 2, 5, 20))):
            place = choose.randrange(head)
            width = choose.choice((1, 1, 2, 4))
            value = choose.choice((0, 1, 255, 127, 128, choose.randrange(256)))
            changed[place : place + width] = bytes([value]) * width
        if choose.random() < 0.1:
            del changed[choose.randrange(len(changed)) :]
        started = time.process_time()
        found = preview_of(bytes(changed))
        assert time.process_time() - started < 1
        if found is not None:
            assert found.offset + found.length <= len(changed)
            assert max(found.width, found.height) >= 1000
            assert found.orientation is None or 1 <= found.orientation <= 8
    assert preview_of(content) is not None


@every_format
def test_a_file_that_ends_in_its_preview_is_cut(kind: str, tmp_path: Path) -> None:
    content = FORMATS[kind](jpeg(), SENSOR, 1)
    photo = tmp_path / f"tom.{kind.lower()}"
    photo.write_bytes(content[:-500])
    with pytest.raises(UnreadableImage) as refused:
        open_image(photo, min_side=64)
    assert refused.value.code is UnreadableCode.TRUNCATED


def test_a_file_that_ends_in_the_sensors_data_is_cut() -> None:
    """Its preview may stand before that, and be whole."""
    tiff = Tiff()
    preview = jpeg()
    shown = tiff.image(*FULL_SIZE, YCBCR, 7) | {
        0x00FE: tiff.long(REDUCED),
        0x0111: tiff.long(tiff.append(preview)),
        0x0117: tiff.long(len(preview)),
    }
    data = tiff.image(*SENSOR, CFA, 7) | {0x00FE: tiff.long(0), 0x0117: tiff.long(8_000)}
    first = tiff.image(8, 4, RGB) | {0x00FE: tiff.long(REDUCED), 0xC612: (1, 4, b"\1\4\0\0")}
    start = len(tiff.content) + 600  # after the directories
    subs = tiff.directory(data | {0x0111: tiff.long(start)}), tiff.directory(shown)
    content = tiff.finish(tiff.directory(first | {0x014A: tiff.long(*subs)}))
    whole = content.ljust(start, b"\0") + bytes(8_000)
    assert not is_cut_short(whole)
    assert is_cut_short(whole[:-1])
    fuji = bytearray(raf(jpeg()))
    fuji[100:108] = struct.pack(">2I", len(fuji), 8_000)
    assert not is_cut_short(bytes(fuji) + bytes(8_000))
    assert is_cut_short(bytes(fuji) + bytes(7_999))
    canon = cr3(jpeg())
    assert not is_cut_short(canon + struct.pack(">I4s", 108, b"mdat") + bytes(100))
    assert is_cut_short(canon + struct.pack(">I4s", 108, b"mdat") + bytes(99))
