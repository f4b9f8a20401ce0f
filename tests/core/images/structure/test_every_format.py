"""Whether a file of any format is whole, and which are not read."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from tests.core.images.pictures import SIZE, animation, code_of, drawn, encoded
from tests.core.images.structure.test_tiff import tiff

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


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.55, 0.8, 0.98])
def test_what_has_several_images_is_truncated_if_a_later_one_is_cut(
    format: str, share: float
) -> None:
    content = animation(format, drawn(), drawn(mode="L").convert("RGB"), drawn(border=100))
    assert code_of(content) is None
    assert code_of(content[: int(len(content) * share)]) is UnreadableCode.TRUNCATED


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
