"""What the pages have in common: one file each, with all that it needs inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image


def environment() -> Environment:
    """Make what fills in the templates that stand beside this file."""
    made = Environment(
        loader=PackageLoader("core.training.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}"
    made.filters["points"] = lambda share: f"{100 * share:.1f}"
    return made


def data_urls(images: Iterable[Image.Image]) -> Iterator[str]:
    """Encode images so that they can stand in a page."""
    for image in images:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
        yield f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
