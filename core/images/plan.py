"""What decoding a file takes, and how it is done, by its structure alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from core.errors import UnreadableCode
from core.images.budget import budget
from core.images.formats import HEADER_BYTES, named, sniff
from core.images.structure.base import Refusal, Source, Structure, cut, unsupported
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

    @property
    def bytes_needed(self) -> int:
        """The memory that reading and decoding takes."""
        return self.structure.bytes_needed + self.length


def plan_for(file: BinaryIO, name: str | None, min_side: int) -> Plan:
    """Walk a file's structure.

    Raises Refusal for what is no image, not whole, would cost too much, or is of a kind that is
    not read, and whatever headers that make no sense make a walk trip over.
    """
    source = Source(file)
    header = source.up_to(0, HEADER_BYTES)
    announced = sniff(header, name)
    if announced in (None, "TIFF"):
        from core.images.raw.kinds import raw_kind

        kind = raw_kind(source)
        if kind is not None:
            return _raw(source, kind, min_side)
    if announced is None:
        what = named(header)
        if what is not None:
            raise unsupported(what)
        raise Refusal(
            UnreadableCode.NOT_AN_IMAGE,
            "is not an image, whatever its name says. Take it out of the photos.",
        )
    if announced == "JPEG":
        jpeg = walk_jpeg(source)
        return Plan(announced, 0, source.size, jpeg.structure(min_side), jpeg=jpeg)
    return Plan(announced, 0, source.size, _walk(source, announced, min_side))


def _walk(source: Source, announced: str, min_side: int) -> Structure:
    match announced:
        case "PNG":
            from core.images.structure.png import walk_png

            return walk_png(source)
        case "HEIF" | "AVIF":
            from core.images.structure.heif import walk_heif

            return walk_heif(source)
        case "WEBP":
            from core.images.structure.webp import walk_webp

            return walk_webp(source)
        case "TIFF":
            from core.images.structure.tiff import walk_tiff

            return walk_tiff(source)
        case "GIF":
            from core.images.structure.gif import walk_gif

            with budget.taken(source.size):  # walked in memory, for its blocks are tiny
                return walk_gif(source)
        case "JPEG2000":
            from core.images.structure.jpeg_2000 import walk_jpeg_2000

            return walk_jpeg_2000(source, min_side)
        case "JXL":
            from core.images.structure.jpeg_xl import walk_jxl

            return walk_jxl(source)
    from core.images.structure.simple import walk_bmp, walk_ico, walk_simple

    if announced == "BMP":
        return walk_bmp(source)
    return walk_ico(source) if announced == "ICO" else walk_simple(source, announced)


def _raw(source: Source, kind: str, min_side: int) -> Plan:
    from core.images.raw.preview import full_size_preview, is_cut

    preview = full_size_preview(source, kind)
    if is_cut(source, kind, preview):
        raise cut("its data goes beyond its end")
    if preview is None or preview.length > _MOST_PREVIEW:
        raise unsupported(f"a raw photo ({kind}) without a full-size preview")
    jpeg = walk_jpeg(source.part(preview.offset, preview.length))
    return Plan(
        "JPEG",
        preview.offset,
        preview.length,
        jpeg.structure(min_side),
        jpeg=jpeg,
        orientation=preview.orientation,
    )
