"""The small picture that a camera puts beside its photo, found without decoding the photo."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageOps

from core.image import HEADER_BYTES, MAX_BYTES, end_of_boxes, sniff

_HEAD_BYTES = 2**16  # the EXIF block, whose 64 KB hold the preview, is a JPEG's first or second
_FEWEST_BYTES = 2**18  # of a JPEG: a smaller one is decoded as quickly
_SHORTEST_SIDE = 96  # pixels; Exif 2.32 has 160 x 120, HEICs of phones 320 x 240
_LONGEST_SIDE = 1024  # pixels; what is larger may take as long as the photo, or all the memory
_ASPECT_GAP = 0.02  # of width over height; with bars on it, a preview is another picture
_END = b"\xff\xd9"
_JPEG = 6  # Compression, Exif 2.32, table 4
# what cameras write into Software is the number of their own; editors write their names
_EDITORS = (
    *("photoshop", "lightroom", "gimp", "paint", "capture one", "affinity", "darktable"),
    *("rawtherapee", "snapseed", "picasa", "acdsee", "luminar", "pixelmator", "photos", "canva"),
    *("irfanview", "xnview", "faststone", "imagemagick", "photoscape", "vsco", "digikam", "krita"),
    *("pillow", "instagram", "facetune", "picsart", "editor", "exiftool", "shotwell"),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a camera put beside its photo."""

    image: Image.Image  # RGB and upright
    format: str  # of the photo, as `sniff` names it


def read_preview(photo: Path) -> Preview | None:
    """Read the preview in a camera's JPEG, by two reads of 64 KB and 2 bytes, or in a HEIC.

    None if there is none, or if it may not be of this photo: its shape is another, an editor has
    had the photo or changed its date, or the file has no end.
    """
    try:
        with photo.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            announced = sniff(head[:HEADER_BYTES])
            image = None
            if announced == "JPEG" and _ends_as_jpeg(file):
                image = _preview_in_jpeg(head)
            elif announced == "HEIF" and _ends_as_heif(file):
                image = _preview_in_heif(file)
    except Exception:  # whatever Pillow stumbles over; decoding the photo will tell what it is
        return None
    return None if image is None or announced is None else Preview(image, announced)


def _ends_as_jpeg(file: BinaryIO) -> bool:
    """Tell whether it has its end, and is worth it."""
    file.seek(-len(_END), io.SEEK_END)
    return file.read() == _END and file.tell() >= _FEWEST_BYTES


def _ends_as_heif(file: BinaryIO) -> bool:
    """Tell whether its boxes end where it does, and it may be read."""
    end = file.seek(0, io.SEEK_END)
    return end <= MAX_BYTES and end_of_boxes(file) == end


def _preview_in_jpeg(head: bytes) -> Image.Image | None:
    with Image.open(io.BytesIO(head), formats=("JPEG",)) as photo:
        exif, block, size = photo.getexif(), photo.info["exif"], photo.size
    if _edited(exif, size):
        return None
    where = exif.get_ifd(ExifTags.IFD.IFD1)
    if where.get(ExifTags.Base.Compression) != _JPEG:
        return None
    start = block.index(b"\0\0") + 2 + where[ExifTags.Base.JpegIFOffset]
    content = block[start : start + where[ExifTags.Base.JpegIFByteCount]]
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as preview:
        if not _fits(preview.size, size):
            return None
        preview.getexif()[ExifTags.Base.Orientation] = exif.get(ExifTags.Base.Orientation, 1)
        return ImageOps.exif_transpose(preview).convert("RGB")


def _preview_in_heif(file: BinaryIO) -> Image.Image | None:
    from pillow_heif import open_heif  # 70 ms that only HEIC photos pay

    file.seek(0)
    photos = open_heif(file)  # decodes nothing
    photo = photos[photos.primary_index]
    info: dict[str, Any] = dict(photo.info)
    sides = info["thumbnails"]  # the longer side of each
    side = max((side for side in sides if side <= _LONGEST_SIDE), default=None)
    exif = Image.Exif()
    exif.load(info.get("exif") or b"")
    if side is None or _edited(exif, photo.size):
        return None
    preview = photo.get_thumbnail(sides.index(side))
    if not _fits(preview.size, photo.size):
        return None
    image: Image.Image = preview.to_pillow()  # upright, as its own properties say
    return image.convert("RGB")


def _fits(preview: tuple[int, int], photo: tuple[int, int]) -> bool:
    """Tell whether a preview of this size may be of a photo of that, and shows enough."""
    if min(preview) < _SHORTEST_SIDE or max(preview) > min(max(photo), _LONGEST_SIDE):
        return False
    return abs(preview[0] / preview[1] * photo[1] / photo[0] - 1) <= _ASPECT_GAP


def _edited(exif: Image.Exif, size: tuple[int, int]) -> bool:
    """Tell whether what EXIF says of the photo does not fit a photo just as it was taken."""
    software = str(exif.get(ExifTags.Base.Software, "")).casefold()
    if any(name in software for name in _EDITORS):
        return True
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    changed, taken = exif.get(ExifTags.Base.DateTime), camera.get(ExifTags.Base.DateTimeOriginal)
    if changed and taken and changed != taken:
        return True
    stated = (
        camera.get(ExifTags.Base.ExifImageWidth, size[0]),
        camera.get(ExifTags.Base.ExifImageHeight, size[1]),
    )
    return sorted(stated) != sorted(size)  # in a HEIC they are those before it was turned
