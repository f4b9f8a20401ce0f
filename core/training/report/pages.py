"""What the pages have in common: one file each, with all that it needs inside."""

from __future__ import annotations

import base64
import io
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image


def render(template: str, **values: Any) -> str:
    """Fill in one of the templates that stand beside this file."""
    environment = Environment(
        loader=PackageLoader("core.training.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: "-" if share is None else f"{share:.1%}"
    environment.filters["points"] = lambda share: f"{100 * share:.1f}"
    return environment.get_template(template).render(**values)


def data_url(image: Image.Image) -> str:
    """Encode an image so that it can stand in a page."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
