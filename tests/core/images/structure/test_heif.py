"""The items of a HEIC or AVIF, and the sides that codecs state themselves."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import pytest
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.structure.base import Source
from core.images.structure.bits import av1_sides, hevc_sides
from core.images.structure.boxes import boxes
from core.images.structure.jpeg_xl import jxl_sides
from tests.core.images.pictures import SIZE, code_of, drawn, encoded


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
    picture = drawn(mode="RGBA")
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
