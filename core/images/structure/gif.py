"""The blocks of a GIF (CompuServe, GIF89a)."""

from __future__ import annotations

import re

from core.images.structure.base import Source, Structure, cut, pixels_bytes, too_much

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL = 0xF9
_ZEROS = re.compile(rb"\0+")
_MOST_BLOCKS, _MOST_FRAMES = 1_500_000, 50_000
_LEAN_FROM = 1 << 16  # bytes of comments and the like: Pillow takes 44 bytes for each


def walk_gif(source: Source) -> Structure:
    """Walk a GIF's blocks to its end. Raises Refusal.

    One whose last block is whole but which has no trailer counts as whole: many programs leave it
    out.
    """
    screen = source.at(0, 13)
    width, height = (int.from_bytes(screen[at : at + 2], "little") for at in (6, 8))
    content = memoryview(source.at(0, source.size))
    frames = comments = 0
    for kind, start, end in _blocks(content):
        if kind == _IMAGE:
            frames += 1
            frame = content[start + 1 : start + 9]
            width, height = (
                max(side, *(int.from_bytes(frame[at : at + 2], "little") for at in (at, at + 4)))
                for side, at in ((width, 0), (height, 2))
            )
        elif content[start + 1] != _GRAPHIC_CONTROL:
            comments += end - start
    if not frames:
        raise cut("it has no image")
    return Structure(
        width,
        height,
        pixels_bytes(width, height, 17.5 if frames > 1 else 9.5),
        frames=min(frames, 2),
        lean=lean_gif if comments > _LEAN_FROM else None,
    )


def lean_gif(content: bytes) -> bytes:
    """Take out of a whole GIF its comments and what programs put beside its images."""
    view = memoryview(content)
    parts: list[bytes | memoryview] = [content[: _colours_end(view, 13, 10)]]
    for kind, start, end in _blocks(view):
        if kind == _IMAGE or content[start + 1] == _GRAPHIC_CONTROL:
            parts.append(view[start:end])
    return b"".join([*parts, bytes([_TRAILER])])


def _blocks(content: memoryview) -> list[tuple[int, int, int]]:
    """List images and extensions: kind, start, end. Raises Refusal if one is not whole."""
    found: list[tuple[int, int, int]] = []
    at = _colours_end(content, 13, 10)
    while at < len(content):
        if len(found) > _MOST_FRAMES:
            raise too_much(f"has more than {_MOST_FRAMES} images and comments")
        kind, start = content[at], at
        if kind == _TRAILER:
            return found
        if kind == 0:  # between blocks, from careless programs; up to the end, of a cut copy
            zeros = _ZEROS.match(content, at)
            at = zeros.end() if zeros else at + 1
            continue
        if kind == _IMAGE:
            if at + 11 > len(content):
                raise cut("an image in it is not whole")
            at = _colours_end(content, at + 10, at + 9) + 1
        elif kind == _EXTENSION:
            at += 2
        else:
            raise cut("what it holds makes no sense")
        at = _sub_blocks_end(content, at)
        found.append((kind, start, at))
    if found and not any(content[found[-1][2] :]) and len(content) > found[-1][2]:
        raise cut("it has no end")
    return found


def _colours_end(content: memoryview, at: int, flags_at: int) -> int:
    flags = content[flags_at] if flags_at < len(content) else 0
    return at + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)


def _sub_blocks_end(content: memoryview, at: int) -> int:
    for _ in range(_MOST_BLOCKS):
        if at >= len(content):
            raise cut("a part of it is not whole")
        length = content[at]
        at += 1 + length
        if length == 0:
            return at
    raise too_much(f"has more than {_MOST_BLOCKS} blocks")
