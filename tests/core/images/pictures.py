"""Pictures that tests of formats encode, and what becomes of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.errors import UnreadableCode, UnreadableImage
from core.images.decode import open_image
from core.images.pillow_image import register

SIZE = (480, 440)


def drawn(size: tuple[int, int] = SIZE, mode: str = "RGB", *, border: int = 0) -> Image.Image:
    """Return a picture with detail everywhere, but for a black border at its bottom."""
    width, height = size
    random = np.random.default_rng(width)
    small = random.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    if border:
        picture.paste((0, 0, 0), (0, height - border, width, height))
    return picture.convert(mode)


def encoded(format: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    register(format)
    stream = io.BytesIO()
    (picture or drawn()).save(stream, format, **options)
    return stream.getvalue()


def animation(format: str, *frames: Image.Image) -> bytes:
    return encoded(format, frames[0], save_all=True, append_images=list(frames[1:]), duration=50)


def code_of(content: bytes | Path) -> UnreadableCode | None:
    """Return why an image is refused; None if it is opened."""
    try:
        open_image(content, min_side=64)
    except UnreadableImage as error:
        return error.code
    return None
