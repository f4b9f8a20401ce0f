"""What a JPEG's segments and scans state, and what its decoder complains of."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.structure.base import Source
from core.images.structure.jpeg import walk_jpeg
from tests.core.images.pictures import code_of, drawn, encoded

EOI = b"\xff\xd9"


def jpeg(picture: Image.Image | None = None, **options: Any) -> bytes:
    return encoded("JPEG", picture, **options)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def frame(marker: int, side: int, components: int) -> bytes:
    parts = b"".join(bytes([index + 1, 0x11, 0]) for index in range(components))
    return segment(marker, struct.pack(">BHHB", 8, side, side, components) + parts)


def scan(components: int) -> bytes:
    parts = b"".join(bytes([index + 1, 0]) for index in range(components))
    return segment(0xDA, bytes([components]) + parts + b"\0\x3f\0") + b"\x12\x34"


@pytest.mark.parametrize(
    ("marker", "first"), [(0xC2, 4), (0xC0, 1)], ids=["progressive", "a scan for each component"]
)
def test_a_few_bytes_that_would_take_gigabytes_are_refused(marker: int, first: int) -> None:
    """libjpeg keeps all coefficients of an image with several scans, at whatever scale."""
    bomb = b"\xff\xd8" + frame(marker, 15_800, 4) + scan(first) + EOI
    assert len(bomb) < 100
    with pytest.raises(UnreadableImage, match="MB of memory to decode") as refused:
        open_image(bomb, min_side=64)
    assert refused.value.code is UnreadableCode.TOO_LARGE


def test_a_large_baseline_jpeg_takes_little_and_is_not_refused() -> None:
    large = b"\xff\xd8" + frame(0xC0, 15_800, 3) + scan(3) + EOI
    assert walk_jpeg(Source(io.BytesIO(large))).structure(140).bytes_needed < 40_000_000


def test_thousands_of_scans_are_refused() -> None:
    """Each is a pass over the whole image."""
    many = b"\xff\xd8" + frame(0xC2, 400, 1) + scan(1) * 5000 + EOI
    with pytest.raises(UnreadableImage, match="scans") as refused:
        open_image(many, min_side=64)
    assert refused.value.code is UnreadableCode.TOO_LARGE


def test_the_scans_of_a_large_image_count_for_more() -> None:
    some = b"\xff\xd8" + frame(0xC2, 9_000, 1) + scan(1) * 100 + EOI
    assert code_of(some) is UnreadableCode.TOO_LARGE


def test_any_number_of_exif_segments_is_read_in_a_moment() -> None:
    """Put one behind the other, as Pillow does, they take minutes."""
    content = jpeg()
    several = segment(0xE1, b"Exif\0\0" + b"x" * 10) * 120_000
    assert open_image(content[:2] + several + content[2:], min_side=400).size == (480, 440)


@pytest.mark.parametrize("marker", [0xE0, 0xE2, 0xEE], ids=["JFIF", "ICC", "Adobe"])
@pytest.mark.parametrize("length", [0, 1, 5, 11])
def test_a_short_application_segment_harms_nothing(marker: int, length: int) -> None:
    names = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
    content = jpeg()
    short = segment(marker, (names[marker] + bytes(20))[:length])
    assert open_image(content[:2] + short + content[2:], min_side=400).size == (480, 440)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.95])
def test_a_cut_jpeg_is_not_taken_for_a_whole_one_because_it_was_closed(share: float) -> None:
    content = jpeg()
    kept = content[: int(len(content) * share)]
    assert code_of(kept + EOI) is UnreadableCode.TRUNCATED
    assert code_of(kept) is UnreadableCode.TRUNCATED


@pytest.mark.parametrize("closed", [True, False])
def test_a_copy_that_still_goes_on_is_not_whole(closed: bool) -> None:
    """Its length is right, its end is zeros."""
    content = jpeg(quality=95)
    half = len(content) // 2
    copied = content[:half] + bytes(len(content) - half - 2 * closed) + EOI * closed
    assert code_of(copied) is UnreadableCode.TRUNCATED


def test_a_hole_in_the_middle_is_damage() -> None:
    content = jpeg(quality=95)
    at = len(content) // 3
    assert code_of(content[:at] + bytes(4096) + content[at + 4096 :]) is UnreadableCode.TRUNCATED


@pytest.mark.parametrize("behind", [bytes(5000), b"a maker's own data" * 100])
def test_what_stands_behind_the_end_marker_is_padding(behind: bytes) -> None:
    assert code_of(jpeg() + behind) is None


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("progressive", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_black_bottom_is_no_damage(optimize: bool, progressive: bool, mode: str) -> None:
    picture = drawn(mode=mode, border=300)
    content = jpeg(picture, optimize=optimize, progressive=progressive)
    assert open_image(content, min_side=64).size[0] > 60


def test_a_cut_cmyk_jpeg_is_not_whole() -> None:
    content = jpeg(drawn(mode="CMYK"))
    assert code_of(content[: len(content) // 2] + EOI) is UnreadableCode.TRUNCATED


def several_pictures() -> bytes:
    return encoded("MPO", save_all=True, append_images=[drawn((240, 220))])


def test_a_picture_of_several_that_is_cut_in_the_last_is_not_whole() -> None:
    content = several_pictures()
    assert code_of(content) is None
    assert code_of(content[:-2000]) is UnreadableCode.TRUNCATED
    assert code_of(content[:-2000] + bytes(2000)) is UnreadableCode.TRUNCATED


def test_an_index_of_pictures_that_were_taken_out_harms_nothing() -> None:
    """Programs that save the first picture anew keep the index."""
    content = several_pictures()
    first = content[: content.index(b"\xff\xd8\xff", 2)]
    assert code_of(first) is None


@pytest.mark.parametrize(
    ("precision", "marker", "what"),
    [(12, 0xC1, "12 bits"), (8, 0xC5, "rare kind"), (8, 0xCB, "rare kind")],
)
def test_a_whole_jpeg_of_a_rare_kind_is_not_called_damaged(
    precision: int, marker: int, what: str
) -> None:
    content = bytearray(b"\xff\xd8" + frame(marker, 64, 1) + scan(1) + EOI)
    content[6] = precision
    with pytest.raises(UnreadableImage, match=what) as refused:
        open_image(bytes(content), min_side=64)
    assert refused.value.code is UnreadableCode.UNSUPPORTED


def test_the_pixels_are_those_of_pillow_at_every_scale() -> None:
    content = jpeg(drawn((1601, 1203)))
    for side in (100, 250, 500, 1100):
        plain = Image.open(io.BytesIO(content))
        plain.draft("RGB", (side, side))
        assert (np.asarray(plain) == np.asarray(open_image(content, min_side=side))).all()


def test_an_orientation_in_xmp_counts_where_exif_has_none() -> None:
    content = jpeg()
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'
    turned = content[:2] + segment(0xE1, xmp) + content[2:]
    assert open_image(turned, min_side=400).size == (440, 480)
