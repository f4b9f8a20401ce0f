"""Formats of which Pillow reads no more than a header until it decodes: what that takes."""

from __future__ import annotations

import re
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from core.images.structure.base import (
    Structure,
    cut,
    pixels_bytes,
    read_at,
    size_of,
    too_much,
    unsupported,
)
from core.images.structure.png import SIGNATURE

_BYTES_A_PIXEL, _WIDE_BYTES_A_PIXEL = 7.5, 12.5  # measured
_ICON_BYTES_A_PIXEL = 13.5
_ICONS = 64
_MOST_RESOURCES = 100_000  # in a Photoshop document: Pillow reads them one by one
# A PPM in text, or of other than 8 bits, is decoded in Python
_SLOW_PPM = re.compile(rb"P(?:[123]|[56]\s(?:\s|#[^\n]*\n)*\d+\s+\d+\s+(?!255\s|65535\s)\d+\s)")
_MOST_SLOW = 3_000_000  # pixels: 5 s


def walk_simple(file: BinaryIO, announced: str) -> Structure:
    """Read what a PSD, PCX, PPM or TGA says of its size. Raises Refusal."""
    if announced == "PSD":
        _check_resources(file)
    file.seek(0)
    try:
        with Image.open(file, formats=(announced,)) as image:
            (width, height), mode = image.size, image.mode
    except UnidentifiedImageError:
        raise unsupported(f"a rare kind of {announced} file") from None
    except Exception as error:  # whatever the bytes made Pillow trip over
        raise cut(f"{announced}: {error}") from error
    file.seek(0)
    if announced == "PPM" and _SLOW_PPM.match(file.read(512)) and width * height > _MOST_SLOW:
        raise too_much(f"has {width} x {height} pixels of a kind that takes long to decode")
    a_pixel = _WIDE_BYTES_A_PIXEL if mode in ("I", "I;16", "F") else _BYTES_A_PIXEL
    return Structure(width, height, pixels_bytes(width, height, a_pixel))


def walk_ico(file: BinaryIO) -> Structure:
    """Read an icon's directory, and how large the images in it are. Raises Refusal."""
    size = size_of(file)
    count = int.from_bytes(read_at(file, 4, 2), "little")
    width = height = 1
    for index in range(min(count, _ICONS)):
        entry = read_at(file, 6 + 16 * index, 16)
        length, offset = (int.from_bytes(entry[at : at + 4], "little") for at in (8, 12))
        if offset + length > size or length < 24:
            raise cut("one of its images is not whole")
        head = read_at(file, offset, 24)
        if head.startswith(SIGNATURE):
            sides = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
        else:
            sides = (
                abs(int.from_bytes(head[4:8], "little", signed=True)),
                abs(int.from_bytes(head[8:12], "little", signed=True)) // 2,
            )
        width, height = max(width, sides[0]), max(height, sides[1])
    return Structure(width, height, pixels_bytes(width, height, _ICON_BYTES_A_PIXEL))


def _check_resources(file: BinaryIO) -> None:
    """Raise Refusal for a Photoshop document with very many image resources."""
    at = 26 + 4 + int.from_bytes(read_at(file, 26, 4))
    end = at + 4 + int.from_bytes(read_at(file, at, 4))
    at += 4
    for _ in range(_MOST_RESOURCES):
        if at + 12 > end:
            return
        named = read_at(file, at + 6, 1)[0] | 1
        at += 6 + named + 1
        length = int.from_bytes(read_at(file, at, 4))
        at += 4 + length + (length & 1)
    raise too_much(f"has more than {_MOST_RESOURCES} resources")
