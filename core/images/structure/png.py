"""The chunks of a PNG (W3C PNG, third edition, 5)."""

from __future__ import annotations

from core.images.structure.base import Source, Structure, cut, pixels_bytes, too_much

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
_MOST_CHUNKS = 200_000  # of a file of the largest size that is read they have 1 KB each
_LEAN_FROM = 1 << 16  # bytes of all else: texts, colour profiles, chunks of programs' own
_GREY, _PALETTE, _GREY_ALPHA, _RGBA = 0, 3, 4, 6


def walk_png(source: Source) -> Structure:
    """Walk a PNG's chunks to its end. Raises Refusal."""
    header = b""
    kinds: set[bytes] = set()
    besides = frames = 0
    at = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if at + 12 > source.size:
            raise cut("it has no end")
        head = source.at(at, 8)
        kind, length = head[4:], int.from_bytes(head[:4])
        if not kind.isalpha() or at + 12 + length > source.size:
            raise cut("a part of it is not whole")
        if not header:
            if kind != b"IHDR" or length != 13:
                raise cut("it has no header")
            header = source.at(at + 8, 13)
        kinds.add(kind)
        frames += kind == b"fcTL"
        if not _is_kept(kind, length):
            besides += length + 12
        at += 12 + length
        if kind == b"IEND":
            break
    else:
        raise too_much(f"has more than {_MOST_CHUNKS} parts")
    if b"IDAT" not in kinds:
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
    """Return what decoding takes at most (measured), until the image is RGB or small."""
    if colour == _PALETTE:
        return 9.5 if transparent else 5.5
    if colour in (_GREY_ALPHA, _RGBA) or transparent:
        return 12.5
    if colour == _GREY:
        return 9.5 if depth == 16 else 5.5
    return 4.5
