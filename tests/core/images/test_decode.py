"""From bytes to an upright RGB image, or a reason why not."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pillow_heif import from_pillow

from core.errors import UnreadableCode, UnreadableImage
from core.images import decode as image_module
from core.images.decode import open_image, opener
from core.images.formats import sniff
from tests.core.images.pictures import code_of, encoded

RED, BLUE = (220, 30, 30), (30, 30, 220)


def half_and_half(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return picture


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.subtract(np.array(picture.getpixel(place)), colour)).max() < 40)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_every_format_is_decoded(format: str) -> None:
    content = encoded(format, half_and_half())
    assert sniff(content[:32]) == format
    picture = open_image(content, min_side=32)
    assert picture.mode == "RGB"
    assert picture.size == (64, 48)
    assert near(picture, (8, 24), RED)
    assert near(picture, (56, 24), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode_becomes_rgb_with_its_brightness(mode: str) -> None:
    """A light half stays light and a dark half dark, 16-bit greys included."""
    light_dark = np.full((48, 64), 10, dtype=np.uint8)
    light_dark[:, :32] = 245
    if mode == "I;16":
        picture = Image.fromarray(light_dark.astype(np.uint16) * 257)
    elif mode in ("I", "F"):
        picture = Image.fromarray(light_dark).convert(mode)
        picture = picture.point(lambda value: value * 257)
    else:
        picture = Image.fromarray(light_dark).convert("RGB").convert(mode)
    opened = open_image(encoded("TIFF" if mode != "P" else "PNG", picture), min_side=32)
    assert opened.mode == "RGB"
    pixels = np.asarray(opened)
    assert pixels[:, :28].mean() > 200
    assert pixels[:, 36:].mean() < 60


def test_what_is_transparent_becomes_white() -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    opened = open_image(encoded("PNG", picture), min_side=32)
    assert opened.getpixel((20, 20)) == (255, 255, 255)


def test_a_palette_with_transparency_becomes_white_there() -> None:
    picture = Image.new("P", (40, 40), 0)
    picture.putpalette([0, 0, 0, 220, 30, 30])
    picture.paste(1, (0, 0, 20, 40))
    opened = open_image(encoded("GIF", picture, transparency=0), min_side=32)
    assert opened.getpixel((30, 20)) == (255, 255, 255)
    assert near(opened, (5, 20), RED)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE)]
    content = encoded("GIF", frames[0], save_all=True, append_images=frames[1:])
    assert near(open_image(content, min_side=32), (20, 20), RED)


def test_a_phones_picture_of_several_gives_the_first() -> None:
    """MPO: a JPEG with more of them behind it."""
    other = Image.new("RGB", (64, 48), BLUE)
    content = encoded("MPO", half_and_half(), save_all=True, append_images=[other])
    opened = open_image(content, min_side=32)
    assert near(opened, (8, 24), RED)
    assert near(opened, (56, 24), BLUE)


@pytest.mark.parametrize(
    ("orientation", "red_at"),
    [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (5, "top"), (6, "top"), (7, "bottom"),
     (8, "bottom")],
)  # fmt: skip
def test_every_exif_orientation_is_turned_upright(orientation: int, red_at: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(encoded("JPEG", half_and_half(), exif=exif), min_side=32)
    width, height = opened.size
    places = {
        "left": (4, height // 2),
        "right": (width - 5, height // 2),
        "top": (width // 2, 4),
        "bottom": (width // 2, height - 5),
    }
    assert [side for side, place in places.items() if near(opened, place, RED)] == [red_at]


def test_a_broken_exif_block_does_not_cost_the_photo() -> None:
    content = encoded("JPEG", half_and_half(), exif=b"Exif\0\0not exif at all")
    assert open_image(content, min_side=32).size == (64, 48)


def test_a_large_jpeg_is_decoded_smaller_but_never_too_small() -> None:
    content = encoded("JPEG", half_and_half((2000, 1500)))
    assert open_image(content, min_side=128).size == (250, 188)
    assert open_image(content, min_side=400).size == (1000, 750)


def test_empty_and_cut_and_other_files_say_so(tmp_path: Path) -> None:
    photo = encoded("JPEG", half_and_half((400, 300)), quality=95)
    png = encoded("PNG", half_and_half())
    assert code_of(b"") is UnreadableCode.EMPTY
    assert code_of(photo[: len(photo) // 2]) is UnreadableCode.TRUNCATED
    assert code_of(photo[:40]) is UnreadableCode.TRUNCATED
    assert code_of(png[: len(png) // 2]) is UnreadableCode.TRUNCATED
    assert code_of(b"GIF89a") is UnreadableCode.TRUNCATED
    assert code_of(b"Dear diary, today I saw a cat.") is UnreadableCode.NOT_AN_IMAGE
    assert code_of(b"BM is how this letter begins, and it is no image") is (
        UnreadableCode.NOT_AN_IMAGE
    )
    assert code_of(b"8BPS" + bytes(40)) is UnreadableCode.UNSUPPORTED
    assert code_of(tmp_path / "gone.jpg") is UnreadableCode.VANISHED
    assert code_of(tmp_path) is UnreadableCode.NOT_AN_IMAGE


def test_a_heic_whose_thumbnail_alone_was_cut_is_not_taken_for_a_whole_one() -> None:
    """The photo itself is decoded, for the thumbnail stands behind it; more may be missing."""
    photo = from_pillow(half_and_half((640, 480)))
    photo.info["thumbnails"] = [320]
    stream = io.BytesIO()
    photo.save(stream, quality=90)
    whole = stream.getvalue()
    assert open_image(whole, min_side=32).size == (640, 480)
    assert code_of(whole[:-60]) is UnreadableCode.TRUNCATED
    assert open_image(whole + b"a maker's own data", min_side=32).size == (640, 480)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_a_photo_cut_anywhere_is_never_taken_for_a_whole_one(format: str) -> None:
    """Whatever is cut off, the file is refused; a few bytes at the very end may be padding."""
    noise = np.random.default_rng(3).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    content = encoded(format, Image.fromarray(noise))
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
        assert code_of(content[: int(len(content) * share)]) in (
            UnreadableCode.TRUNCATED,
            UnreadableCode.NOT_AN_IMAGE,  # less than its signature is left
        )


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = tmp_path / "big.jpg"
    photo.write_bytes(encoded("JPEG", half_and_half()))
    monkeypatch.setattr(image_module, "MAX_BYTES", 100)
    monkeypatch.setattr(image_module, "open_regular", lambda path: pytest.fail("it was read"))
    assert code_of(photo) is UnreadableCode.TOO_LARGE


@pytest.mark.skipif(os.name != "posix", reason="FIFOs are POSIX")
def test_a_fifo_is_not_opened(tmp_path: Path) -> None:
    """Opening one would block for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    assert code_of(tmp_path / "pipe.jpg") is UnreadableCode.NOT_AN_IMAGE


def test_no_permission_and_a_failing_disk_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errors are the system's; root, who may run the tests, is refused nothing."""
    photo = tmp_path / "mine.jpg"
    photo.write_bytes(encoded("JPEG", half_and_half()))
    for error, code in (
        (PermissionError(13, "Permission denied"), UnreadableCode.NO_PERMISSION),
        (OSError(5, "Input/output error"), UnreadableCode.IO_ERROR),
    ):

        def refuse(path: Path, error: OSError = error) -> bytes:
            raise error

        monkeypatch.setattr(image_module, "open_regular", refuse)
        assert code_of(photo) is code


def test_errors_name_the_file_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tom.jpg").write_bytes(b"")
    with pytest.raises(UnreadableImage, match=r"tom\.jpg is empty .* Copy it again"):
        open_image(tmp_path / "tom.jpg", min_side=32)


def test_an_opener_gives_the_same_of_a_path_and_its_bytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(noise).save(path)
    from_path, from_bytes = opener(path), opener(path.read_bytes())
    for side, size in ((40, (75, 50)), (200, (300, 200))):
        image = from_path(side)
        assert image.size == size
        assert (np.asarray(image) == np.asarray(from_bytes(side))).all()
