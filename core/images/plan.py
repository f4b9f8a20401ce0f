"""What decoding a file takes, and how it is to be gone about, told before it is read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from core.images.budget import budget
from core.images.structure.base import Structure, size_of, unsupported
from core.images.structure.jpeg import Jpeg, walk_jpeg

_MOST_PREVIEW = 64 * 2**20  # bytes of the JPEG in a RAW file

# Each format's walk is imported when it is needed: most photos are JPEG, and start-up counts.


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
    if announced in (None, "TIFF"):
        from core.images.raw import raw_kind, tiff_raw_kind

        kind = raw_kind(header[:32]) or (tiff_raw_kind(file) if announced else None)
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
            from core.images.structure.tiff import walk_tiff

            tiff = walk_tiff(file)
            return Plan(announced, 0, size, tiff.structure, white_is_zero=tiff.white_is_zero)
        case "HEIF" | "AVIF":
            from core.images.structure.boxes import walk_heif

            heif = walk_heif(file)
            return Plan(announced, 0, size, heif.structure, besides=heif.besides)
        case "JPEG2000":
            from core.images.structure.boxes import walk_jpeg_2000

            structure, halved = walk_jpeg_2000(file, min_side)
            return Plan(announced, 0, size, structure, halved=halved)
    return Plan(announced, 0, size, _walk(file, announced, size))


def _walk(file: BinaryIO, announced: str, size: int) -> Structure:
    match announced:
        case "PNG":
            from core.images.structure.png import walk_png

            return walk_png(file)
        case "GIF":
            from core.images.structure.gif import walk_gif

            with budget.taken(size):  # walked in memory, for its blocks are tiny
                return walk_gif(file)
        case "WEBP":
            from core.images.structure.webp import walk_webp

            return walk_webp(file)
        case "BMP":
            from core.images.structure.bmp import walk_bmp

            return walk_bmp(file)
        case "JXL":
            from core.images.structure.boxes import walk_jxl

            return walk_jxl(file)
        case "ICO":
            from core.images.structure.simple import walk_ico

            return walk_ico(file)
    from core.images.structure.simple import walk_simple

    return walk_simple(file, announced)


def _raw(file: BinaryIO, kind: str, min_side: int) -> Plan:
    from core.images.raw import full_size_preview

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
