"""The directories of a TIFF."""

from __future__ import annotations

import io
import struct
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableCode
from core.images.decode import open_image
from tests.core.images.pictures import code_of, drawn


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_a_compressed_tiff_that_ends_in_zeros_is_truncated(compression: str) -> None:
    stream = io.BytesIO()
    drawn().save(stream, "TIFF", compression=compression)
    content = bytearray(stream.getvalue())
    with Image.open(io.BytesIO(content)) as image:
        start, length = image.getexif()[273][-1], image.getexif()[279][-1]
    content[start + length // 2 : start + length] = bytes(length - length // 2)
    assert code_of(bytes(content)) is UnreadableCode.TRUNCATED


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


def grey_tiff(values: np.ndarray, *, photometric: int = 1, order: Literal["<", ">"] = "<") -> bytes:
    bits = values.dtype.itemsize * 8
    tags = {256: (4, [values.shape[1]]), 257: (4, [values.shape[0]]), 258: (3, [bits])}
    tags |= {259: (3, [1]), 262: (3, [photometric]), 277: (3, [1])}
    if values.dtype.kind == "f":
        tags[339] = (3, [3])
    return tiff(
        tags,
        values.astype(values.dtype.newbyteorder(order)).tobytes(),
        order,
    )


def ramp(high: int) -> np.ndarray:
    return np.tile(np.linspace(0, high, 200).astype(np.uint16), (100, 1))


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_where_white_is_zero_is_no_negative(order: Literal["<", ">"]) -> None:
    opened = np.asarray(open_image(grey_tiff(ramp(65535), photometric=0, order=order), min_side=64))
    assert opened[0, 0, 0] > 250
    assert opened[0, -1, 0] < 5


@pytest.mark.parametrize("high", [1023, 4095, 65535])
def test_few_bits_in_many_are_not_shown_as_black(high: int) -> None:
    opened = np.asarray(open_image(grey_tiff(ramp(high)), min_side=64))
    assert opened[0, 0, 0] < 5
    assert opened[0, -1, 0] > 250
