"""Pictures as they stand inside a page."""

from __future__ import annotations

import base64
import io
from enum import StrEnum

from PIL import Image


class Encoding(StrEnum):
    """How a picture is written: photos small, with losses; what is read off, exactly."""

    JPEG = "jpeg"
    PNG = "png"


def data_url(image: Image.Image, encoding: Encoding = Encoding.JPEG, *, quality: int = 80) -> str:
    """Encode an image so that it can stand in a page; `quality` is JPEG's, 1 to 95."""
    file = io.BytesIO()
    if encoding is Encoding.JPEG:
        image.convert("RGB").save(file, "JPEG", quality=quality, optimize=True)
    else:
        image.save(file, "PNG", optimize=True)
    return f"data:image/{encoding};base64,{base64.b64encode(file.getvalue()).decode()}"
