"""The chunks of a PNG."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.errors import UnreadableCode
from core.images.decode import open_image
from tests.core.images.pictures import SIZE, code_of, encoded
from tests.core.images.structure.test_tiff import ramp


def test_a_png_without_its_end_is_truncated() -> None:
    assert code_of(encoded("PNG")[:-12]) is UnreadableCode.TRUNCATED


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


@pytest.mark.parametrize(
    ("width", "height"), [(1, 100_000_000), (70_000, 10), (11_000, 11_000), (60_000, 60_000)]
)
def test_a_png_that_would_take_too_much_is_refused(width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    assert code_of(content) is UnreadableCode.TOO_LARGE


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
