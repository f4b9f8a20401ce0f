"""The chunks of a PNG (W3C PNG, third edition, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from core.images.structure.base import Structure, cut, pixels_bytes, read_at, size_of, too_much

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
_MOST_CHUNKS = 200_000  # of a file of the largest size that is read they have 1 KB each
_LEAN_FROM = 1 << 16  # bytes of all else: texts, colour profiles, chunks of programs' own
_GREY, _PALETTE, _GREY_ALPHA, _RGBA = 0, 3, 4, 6


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    offset: int  # of its data
    length: int


def walk_png(file: BinaryIO) -> Structure:
    """Walk a PNG's chunks to its end. Raises Refusal."""
    size = size_of(file)
    header: bytes | None = None
    kinds: set[bytes] = set()
    besides = frames = count = 0
    at = len(SIGNATURE)
    while b"IEND" not in kinds:
        if at + 12 > size:
            raise cut("it has no end")
        file.seek(at)
        head = file.read(8)
        chunk = _Chunk(head[4:8], at + 8, int.from_bytes(head[:4]))
        if not chunk.kind.isalpha() or at + 12 + chunk.length > size:
            raise cut("a part of it is not whole")
        if header is None:
            if chunk.kind != b"IHDR" or chunk.length != 13:
                raise cut("it has no header")
            header = read_at(file, chunk.offset, 13)
        count += 1
        if count > _MOST_CHUNKS:
            raise too_much(f"has more than {_MOST_CHUNKS} parts")
        kinds.add(chunk.kind)
        frames += chunk.kind == b"fcTL"
        if not _is_kept(chunk.kind, chunk.length):
            besides += chunk.length + 12
        at += 12 + chunk.length
    if header is None or b"IDAT" not in kinds:
        raise cut("it has no image")
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    needed = _bytes_a_pixel(header[8], header[9], transparent=b"tRNS" in kinds)
    if frames > 1:
        needed += 12  # what was shown before, and the frame
    return Structure(
        width,
        height,
        pixels_bytes(width, height, needed),
        frames=min(max(frames, 1), 2),
        lean=lean_png if besides > _LEAN_FROM else None,
    )


def lean_png(content: bytes) -> bytes:
    """Take out of a whole PNG all but what its pixels, its orientation and its frames need.

    Pillow refuses texts and profiles of more than 1 MB, and holds each several times over.
    """
    parts = [content[: len(SIGNATURE)]]
    at = len(SIGNATURE)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4])
        kind = content[at + 4 : at + 8]
        if _is_kept(kind, end - at - 12):
            parts.append(content[at:end])
        at = end
        if kind == b"IEND":
            break
    return b"".join(parts)


def _is_kept(kind: bytes, length: int) -> bool:
    return kind in _KEPT and not (kind == b"eXIf" and length > _LEAN_FROM)


def _bytes_a_pixel(depth: int, colour: int, *, transparent: bool) -> float:
    """Give what decoding takes at most (measured), until the image is RGB or small."""
    if colour == _PALETTE:
        return 9.5 if transparent else 5.5
    if colour in (_GREY_ALPHA, _RGBA):
        return 12.5
    if transparent:
        return 12.5
    if colour == _GREY:
        return 9.5 if depth == 16 else 5.5
    return 4.5
