"""What decoding a file takes, and how it is to be gone about, told before it is read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from core.images.budget import budget
from core.images.raw import full_size_preview, raw_kind, tiff_raw_kind
from core.images.structure.base import Structure, size_of, unsupported
from core.images.structure.bmp import walk_bmp
from core.images.structure.boxes import walk_heif, walk_jpeg_2000, walk_jxl
from core.images.structure.gif import walk_gif
from core.images.structure.jpeg import Jpeg, walk_jpeg
from core.images.structure.png import walk_png
from core.images.structure.simple import walk_ico, walk_simple
from core.images.structure.tiff import walk_tiff
from core.images.structure.webp import walk_webp

_MOST_PREVIEW = 64 * 2**20  # bytes of the JPEG in a RAW file
_WALKS = {
    "PNG": walk_png,
    "WEBP": walk_webp,
    "BMP": walk_bmp,
    "JXL": walk_jxl,
    "ICO": walk_ico,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is decoded."""

    format: str  # as Pillow calls it
    start: int  # where in the file the image begins
    length: int  # bytes
    structure: Structure
    jpeg: Jpeg | None = None
    orientation: int | None = None  # EXIF's, where the file around the image states it
    white_is_zero: bool = False
    halved: int = 0  # how often JPEG 2000's sides are
    besides: tuple[int, ...] = ()  # places in a HEIF that say what else there is but the image

    @property
    def bytes_needed(self) -> int:
        """The memory that reading and decoding takes."""
        return self.structure.bytes_needed + self.length


def plan_for(file: BinaryIO, header: bytes, announced: str | None, min_side: int) -> Plan | None:
    """Walk a file's structure; None if it is no image that is decoded.

    `announced` is the format that it begins like. Raises Refusal for what is not whole, would cost
    too much, or is of a kind that is not read.
    """
    kind = raw_kind(header[:32]) or (tiff_raw_kind(file) if announced == "TIFF" else None)
    if kind is not None:
        return _raw(file, kind, min_side)
    size = size_of(file)
    match announced:
        case None:
            return None
        case "JPEG":
            jpeg = walk_jpeg(file)
            return Plan(announced, 0, size, jpeg.structure(min_side), jpeg=jpeg)
        case "TIFF":
            tiff = walk_tiff(file)
            return Plan(announced, 0, size, tiff.structure, white_is_zero=tiff.white_is_zero)
        case "HEIF" | "AVIF":
            heif = walk_heif(file)
            return Plan(announced, 0, size, heif.structure, besides=heif.besides)
        case "JPEG2000":
            structure, halved = walk_jpeg_2000(file, min_side)
            return Plan(announced, 0, size, structure, halved=halved)
    if announced == "GIF":  # walked in memory, for its blocks are tiny
        with budget.taken(size):
            return Plan(announced, 0, size, walk_gif(file))
    if announced in _WALKS:
        return Plan(announced, 0, size, _WALKS[announced](file))
    return Plan(announced, 0, size, walk_simple(file, announced))


def _raw(file: BinaryIO, kind: str, min_side: int) -> Plan:
    preview = full_size_preview(file)
    if preview is None or preview.length > _MOST_PREVIEW:
        raise unsupported(f"a raw photo ({kind}) without a full-size preview")
    file.seek(preview.offset)
    jpeg = walk_jpeg(io.BytesIO(file.read(preview.length)))
    return Plan(
        "JPEG",
        preview.offset,
        preview.length,
        jpeg.structure(min_side),
        jpeg=jpeg,
        orientation=preview.orientation,
    )
