"""Whether a file of any other format is whole, and what decoding it takes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from pillow_heif import from_pillow

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.structure.base import Source
from core.images.structure.bits import av1_sides, hevc_sides
from core.images.structure.boxes import boxes
from core.images.structure.jpeg_xl import jxl_sides

SIZE = (480, 440)


def drawn(mode: str = "RGB", *, border: int = 0) -> Image.Image:
    random = np.random.default_rng(5)
    small = random.integers(0, 255, (55, 60, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
    if border:
        picture.paste((0, 0, 0), (0, SIZE[1] - border, *SIZE))
    return picture.convert(mode)


def encoded(format: str, picture: Image.Image | None = None, **options: object) -> bytes:
    if format == "JXL":
        import pillow_jxl  # noqa: F401
    stream = io.BytesIO()
    picture = picture or drawn()
    if format == "HEIF":
        from_pillow(picture).save(stream, **options)
    else:
        picture.save(stream, format, **options)
    return stream.getvalue()


def animation(format: str, *frames: Image.Image) -> bytes:
    return encoded(format, frames[0], save_all=True, append_images=list(frames[1:]), duration=50)


def code_of(content: bytes) -> UnreadableCode | None:
    try:
        open_image(content, min_side=64)
    except UnreadableImage as error:
        return error.code
    return None


FORMATS = ["PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF", "JPEG2000", "JXL"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("border", [0, 300])
def test_a_whole_image_is_opened_black_bottom_or_not(format: str, border: int) -> None:
    picture = open_image(encoded(format, drawn(border=border)), min_side=64)
    assert picture.mode == "RGB"
    assert min(picture.size) >= 64


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "HEIF", "AVIF", "JPEG2000", "JXL"])
@pytest.mark.parametrize("share", [0.4, 0.7, 0.9])
def test_a_copy_that_still_goes_on_is_truncated(format: str, share: float) -> None:
    """Its length is right, its end is zeros."""
    content = encoded(format)
    kept = int(len(content) * share)
    assert code_of(content[:kept] + bytes(len(content) - kept)) is UnreadableCode.TRUNCATED


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_a_compressed_tiff_that_ends_in_zeros_is_truncated(compression: str) -> None:
    stream = io.BytesIO()
    drawn().save(stream, "TIFF", compression=compression)
    content = bytearray(stream.getvalue())
    with Image.open(io.BytesIO(content)) as image:
        start, length = image.tag_v2[273][-1], image.tag_v2[279][-1]
    content[start + length // 2 : start + length] = bytes(length - length // 2)
    assert code_of(bytes(content)) is UnreadableCode.TRUNCATED


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.55, 0.8, 0.98])
def test_what_has_several_images_is_truncated_if_a_later_one_is_cut(
    format: str, share: float
) -> None:
    content = animation(format, drawn(), drawn("L").convert("RGB"), drawn(border=100))
    assert code_of(content) is None
    assert code_of(content[: int(len(content) * share)]) is UnreadableCode.TRUNCATED


def test_a_png_without_its_end_is_truncated() -> None:
    assert code_of(encoded("PNG")[:-12]) is UnreadableCode.TRUNCATED


def test_a_gif_without_a_trailer_is_whole() -> None:
    """Many programs leave it out."""
    assert code_of(encoded("GIF")[:-1]) is None


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


@pytest.mark.parametrize("place", [33, -12], ids=["before the image", "behind it"])
@pytest.mark.parametrize(
    "besides",
    [
        chunk(b"iTXt", b"workflow\0\0\0\0\0" + b"x" * 1_200_000),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(b"x" * 2_000_000)),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"x" * 2_000_000)),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"prVt", bytes(3_000_000)),
    ],
    ids=["text", "small compressed text", "zTXt", "profile", "a program's own"],
)
def test_what_a_png_holds_besides_its_image_harms_nothing(besides: bytes, place: int) -> None:
    content = encoded("PNG")
    assert open_image(content[:place] + besides + content[place:], min_side=64).size == SIZE


def test_a_pngs_orientation_counts_whatever_else_it_holds() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", "x" * 1_200_000)
    content = encoded("PNG", exif=exif, pnginfo=text)
    assert open_image(content, min_side=64).size == SIZE[::-1]


def test_comments_of_a_gif_are_not_kept() -> None:
    """Pillow takes 44 bytes for each byte of them."""
    content = encoded("GIF")
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * 8000 + b"\0"
    place = 13 + (3 << ((content[10] & 7) + 1))
    assert open_image(content[:place] + comment + content[place:], min_side=64).size == SIZE


def test_a_gif_of_endless_tiny_blocks_is_refused() -> None:
    content = encoded("GIF")
    comment = b"\x21\xfe" + b"\1x" * 1_600_000 + b"\0"
    place = 13 + (3 << ((content[10] & 7) + 1))
    assert code_of(content[:place] + comment + content[place:]) is UnreadableCode.TOO_LARGE


@pytest.mark.parametrize(("width", "height"), [(1, 100_000_000), (70_000, 10), (12_000, 12_000)])
def test_a_png_that_would_take_too_much_is_refused(width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    assert code_of(content) is UnreadableCode.TOO_LARGE


def run_length_bmp(side: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    runs = (b"\xff\1" * (side // 255 + 1) + b"\0\0") * side + b"\0\1"
    return (
        b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + bytes(1024) + runs
    )


def test_run_lengths_are_decoded_up_to_a_bound() -> None:
    """Pillow decodes them in Python: 100 megapixels took two minutes."""
    assert code_of(run_length_bmp(255)) is None
    assert code_of(run_length_bmp(2500)) is UnreadableCode.TOO_LARGE


def items(content: bytes, kind: bytes) -> Iterator[tuple[int, int]]:
    """Find boxes of a kind, however deep."""
    at = content.find(kind)
    while at >= 0:
        yield at + 4, at - 4 + int.from_bytes(content[at - 4 : at])
        at = content.find(kind, at + 1)


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_an_image_that_holds_more_than_it_states_is_refused(format: str) -> None:
    picture = drawn().resize((2000, 1500))
    content = bytearray(encoded(format, picture))
    for start, _ in items(bytes(content), b"ispe"):
        content[start + 4 : start + 12] = struct.pack(">II", 64, 64)
    with pytest.raises(UnreadableImage, match="states 64 x 64 pixels and holds") as refused:
        open_image(bytes(content), min_side=64)
    assert refused.value.code is UnreadableCode.TOO_LARGE


@pytest.mark.parametrize("size", [(64, 48), (640, 480), (1999, 1501)])
def test_the_sides_in_a_codecs_own_header_are_read(size: tuple[int, int]) -> None:
    picture = drawn().resize(size)
    avif, heic, jxl = (encoded(format, picture) for format in ("AVIF", "HEIF", "JXL"))
    (start, end), *_ = items(avif, b"av1C")
    (mdat, _), *_ = items(avif, b"mdat")
    assert (av1_sides(avif[start + 4 : end]) or av1_sides(avif[mdat:])) == size
    sets = [
        sides
        for at in range(len(heic) - 8)
        if heic[at] == 0x42 and heic[at + 1] == 1 and (sides := hevc_sides(heic[at : at + 80]))
    ]
    assert any(0 <= wide - size[0] < 64 and 0 <= high - size[1] < 64 for wide, high in sets)
    code = jxl
    if jxl[:2] != b"\xff\x0a":
        code = next(
            jxl[box.start : box.end]
            for box in boxes(Source(io.BytesIO(jxl)), 0, len(jxl))
            if box.kind == b"jxlc"
        )
    assert jxl_sides(code) == size


def test_an_avif_with_alpha_that_the_decoder_does_not_take_is_opened_without_it() -> None:
    """Browsers open one whose alpha does not state its size."""
    picture = drawn("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    content = bytearray(encoded("AVIF", picture))
    assert code_of(bytes(content)) is None
    ((start, _),) = items(bytes(content), b"ipma")
    at = start + 8  # entries: an item, how many properties it has, which
    at += 3 + content[at + 2]
    assert content[at : at + 2] == b"\0\2"
    content[at + 3] = content[at + 4]  # the alpha's first property is its size
    with pytest.raises(UnidentifiedImageError), Image.open(io.BytesIO(content)):
        pass
    assert open_image(bytes(content), min_side=64).size == SIZE


def test_a_large_jpeg_2000_is_decoded_smaller() -> None:
    picture = drawn().resize((1600, 1400))
    opened = open_image(encoded("JPEG2000", picture), min_side=140)
    assert 140 <= min(opened.size) < 350


def tiff(tags: dict[int, tuple[int, list[int]]], pixels: bytes, order: str = "<") -> bytes:
    """Put together a TIFF of one strip; tags are (type, values), all of which fit into theirs."""
    count = len(tags) + 2
    start = 8 + 2 + 12 * count + 4
    tags = {**tags, 273: (4, [start]), 279: (4, [len(pixels)])}
    entries = b""
    for tag, (kind, values) in sorted(tags.items()):
        code = {3: "H", 4: "I"}[kind]
        body = struct.pack(f"{order}{len(values)}{code}", *values).ljust(4, b"\0")
        assert len(body) == 4
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + body
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return head + struct.pack(f"{order}H", count) + entries + bytes(4) + pixels


def grey_tiff(values: np.ndarray, *, photometric: int = 1, order: str = "<") -> bytes:
    bits = values.dtype.itemsize * 8
    tags = {256: (4, [values.shape[1]]), 257: (4, [values.shape[0]]), 258: (3, [bits])}
    tags |= {259: (3, [1]), 262: (3, [photometric]), 277: (3, [1])}
    if values.dtype.kind == "f":
        tags[339] = (3, [3])
    return tiff(tags, values.astype(values.dtype.newbyteorder(order)).tobytes(), order)


def ramp(high: int) -> np.ndarray:
    return np.tile(np.linspace(0, high, 200).astype(np.uint16), (100, 1))


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_where_white_is_zero_is_no_negative(order: str) -> None:
    opened = np.asarray(open_image(grey_tiff(ramp(65535), photometric=0, order=order), min_side=64))
    assert opened[0, 0, 0] > 250
    assert opened[0, -1, 0] < 5


@pytest.mark.parametrize("high", [1023, 4095, 65535])
def test_few_bits_in_many_are_not_shown_as_black(high: int) -> None:
    opened = np.asarray(open_image(grey_tiff(ramp(high)), min_side=64))
    assert opened[0, 0, 0] < 5
    assert opened[0, -1, 0] > 250


def test_a_transparent_grey_of_16_bits_becomes_white() -> None:
    values = ramp(65535)
    values[:50] = 1000
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    plain = stream.getvalue()
    content = plain[:33] + chunk(b"tRNS", struct.pack(">H", 1000)) + plain[33:]
    opened = np.asarray(open_image(content, min_side=64))
    assert (opened[:50] == 255).all()
    assert opened[-1, 0, 0] < 5


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"MM\0\x2b\0\x08\0\0" + struct.pack(">Q", 16) + bytes(200), "big-endian BigTIFF"),
        (
            tiff({256: (4, [8]), 257: (4, [8]), 258: (3, [8]), 259: (3, [52546])}, bytes(64)),
            "JPEG XL",
        ),
        (
            tiff(
                {256: (4, [8]), 257: (4, [8]), 258: (3, [64]), 259: (3, [1]), 277: (3, [1])}
                | {262: (3, [1]), 339: (3, [3])},
                bytes(512),
            ),
            "floating point",
        ),
        (b'<?xml version="1.0"?>\n<!-- a comment -->\n<svg xmlns="x"></svg>', "SVG"),
        (b"\xef\xbb\xbf <svg></svg>", "SVG"),
        (b"%PDF-1.7 and so on", "PDF"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "film"),
        (b"\0\0\0\x10ftypcrx \0\0\0\1" + bytes(64), "raw photo"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), "raw photo"),
        (b"IIU\0\x18\0\0\0" + bytes(200), "raw photo"),
        (b"IIRO\x08\0\0\0" + bytes(200), "raw photo"),
        (b"FOVb" + bytes(200), "raw photo"),
        (b"8BPS\0\2" + bytes(60), "Photoshop"),
    ],
)
def test_whole_files_of_other_kinds_are_named_and_never_called_damaged(
    content: bytes, what: str
) -> None:
    with pytest.raises(UnreadableImage, match=what) as refused:
        open_image(content, min_side=64)
    assert refused.value.code is UnreadableCode.UNSUPPORTED


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("first", ["black", "white"])
def test_an_animation_that_begins_with_nothing_is_answered_by_a_later_frame(
    format: str, first: str
) -> None:
    empty = Image.new("RGB", SIZE, first)
    opened = open_image(animation(format, empty, empty, drawn()), min_side=64)
    assert np.ptp(np.asarray(opened)) > 100


def test_an_animation_of_nothing_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ("black", "gray", "white")]
    assert np.asarray(open_image(animation("WEBP", *frames), min_side=64)).max() < 30
