"""The preview in a camera's JPEG, and when it may not be trusted."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from pillow_heif import from_pillow

from benchmarks.photos import exif_with
from core.preview import read_preview

SIZE = (1600, 1200)


def jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95)
    return stream.getvalue()


def noise(size: tuple[int, int]) -> Image.Image:
    random = np.random.default_rng(0)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def half_red(size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image


def photo(folder: Path, exif: bytes, *, size: tuple[int, int] = SIZE, end: bytes = b"") -> Path:
    path = folder / "IMG_1.jpg"
    noise(size).save(path, "JPEG", quality=95, exif=exif)
    with path.open("ab") as file:
        file.write(end)
    return path


def image_of(photo: Path) -> Image.Image | None:
    preview = read_preview(photo)
    return None if preview is None else preview.image


def heic(
    folder: Path,
    *,
    exif: bytes = b"",
    size: tuple[int, int] = SIZE,
    sides: tuple[int, ...] = (320,),
) -> Path:
    """Half red, half blue, with thumbnails of these longer sides."""
    photo = from_pillow(half_red(size))
    photo.info["thumbnails"] = list(sides)
    path = folder / "IMG_1.heic"
    photo.save(path, quality=50, exif=exif or None)
    return path


def test_it_comes_upright_as_the_photo_does(tmp_path: Path) -> None:
    held_upright = image_of(photo(tmp_path, exif_with(6, jpeg(half_red()))))
    assert held_upright is not None
    assert (held_upright.mode, held_upright.size) == ("RGB", (120, 160))
    red, _, blue = held_upright.getpixel((60, 20))  # type: ignore[misc]
    assert red > 200 > 50 > blue
    as_it_is = image_of(photo(tmp_path, exif_with(1, jpeg(half_red()))))
    assert as_it_is is not None
    assert as_it_is.size == (160, 120)


def with_tags(tags: dict[int, str], camera: dict[int, str | int]) -> bytes:
    """Write EXIF with a preview and these tags, whose offsets Pillow counts."""
    plain = Image.Exif()
    for tag, value in tags.items():
        plain[tag] = value
    plain.get_ifd(ExifTags.IFD.Exif).update(camera)
    block = bytearray(plain.tobytes())  # "Exif\0\0", then TIFF in the machine's order
    order = "<" if block[6:8] == b"II" else ">"
    preview = jpeg(half_red())
    start = 6 + struct.unpack_from(order + "I", block, 10)[0]
    link = start + 2 + 12 * struct.unpack_from(order + "H", block, start)[0]
    here = len(block) - 6
    struct.pack_into(order + "I", block, link, here)
    second = struct.pack(
        order + "HHHIHxxHHIIHHIII",
        3,
        *(0x0103, 3, 1, 6),
        *(0x0201, 4, 1, here + 42),
        *(0x0202, 4, 1, len(preview)),
        0,
    )
    assert len(second) == 42
    return bytes(block) + second + preview


TAKEN = "2026:11:01 10:00:00"


@pytest.mark.parametrize(
    ("tags", "camera", "is_used"),
    [
        ({}, {}, True),
        ({ExifTags.Base.Software: "17.1.2"}, {}, True),
        ({ExifTags.Base.Software: "Adobe Photoshop 25.0"}, {}, False),
        ({ExifTags.Base.Software: "GIMP 2.10"}, {}, False),
        ({ExifTags.Base.DateTime: TAKEN}, {ExifTags.Base.DateTimeOriginal: TAKEN}, True),
        (
            {ExifTags.Base.DateTime: "2026:11:02 09:00:00"},
            {ExifTags.Base.DateTimeOriginal: TAKEN},
            False,
        ),
        ({}, {ExifTags.Base.ExifImageWidth: 1600, ExifTags.Base.ExifImageHeight: 1200}, True),
        ({}, {ExifTags.Base.ExifImageWidth: 4000, ExifTags.Base.ExifImageHeight: 3000}, False),
    ],
)
def test_where_an_editor_had_the_photo_it_is_not_used(
    tags: dict[int, str], camera: dict[int, str | int], is_used: bool, tmp_path: Path
) -> None:
    preview = read_preview(photo(tmp_path, with_tags(tags, camera)))
    assert (preview is not None) == is_used


def test_a_heic_has_one_too(tmp_path: Path) -> None:
    preview = read_preview(heic(tmp_path, sides=(160, 320)))
    assert preview is not None
    assert (preview.format, preview.image.mode, preview.image.size) == ("HEIF", "RGB", (320, 240))
    red, _, blue = preview.image.getpixel((20, 120))  # type: ignore[misc]
    assert red > 200 > 50 > blue
    large = read_preview(heic(tmp_path, sides=(200, 320, 1100)))
    assert large is not None
    assert large.image.size == (320, 240)
    assert read_preview(heic(tmp_path, sides=())) is None
    assert read_preview(heic(tmp_path, sides=(100,))) is None  # too small
    upright = read_preview(heic(tmp_path, size=(600, 800)))
    assert upright is not None
    assert upright.image.size == (240, 320)


def test_nor_is_that_of_a_heic_used_that_an_editor_had_or_that_was_cut(tmp_path: Path) -> None:
    tags = Image.Exif()
    camera = tags.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.ExifImageWidth], camera[ExifTags.Base.ExifImageHeight] = 1200, 1600
    assert read_preview(heic(tmp_path, exif=tags.tobytes())) is not None  # it was turned
    camera[ExifTags.Base.ExifImageWidth] = 4000
    assert read_preview(heic(tmp_path, exif=tags.tobytes())) is None  # cropped
    edited = Image.Exif()
    edited[ExifTags.Base.Software] = "GIMP 3.0"
    assert read_preview(heic(tmp_path, exif=edited.tobytes())) is None
    path = heic(tmp_path)
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-1], whole + b"more", whole[:40]):
        path.write_bytes(broken)
        assert read_preview(path) is None
    path.write_bytes(whole)
    assert read_preview(path) is not None


def test_a_preview_of_another_shape_is_not_used(tmp_path: Path) -> None:
    exif = exif_with(1, jpeg(half_red()))
    assert read_preview(photo(tmp_path, exif, size=(1600, 1066))) is None  # bars, or cropped
    for side in (80, 1200):
        exif = exif_with(1, jpeg(half_red((side, side * 3 // 4))))
        assert read_preview(photo(tmp_path, exif)) is None


def test_without_an_end_or_a_preview_there_is_none(tmp_path: Path) -> None:
    exif = exif_with(1, jpeg(half_red()))
    assert read_preview(photo(tmp_path, exif, end=b"more")) is None
    whole = photo(tmp_path, exif).read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    assert read_preview(cut) is None
    assert read_preview(photo(tmp_path, b"")) is None
    assert read_preview(photo(tmp_path, exif_with(1, b"\xff\xd8 not a JPEG"))) is None
    assert read_preview(photo(tmp_path, exif, size=(200, 150))) is None  # decoded as quickly
    assert read_preview(tmp_path / "gone.jpg") is None
    png = tmp_path / "large.png"
    noise((500, 500)).save(png)
    assert read_preview(png) is None
