"""A model with one thing about it changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.classifier import Classifier
from core.manifest import LITERT, read_manifest, record_file


def varied(model: Path, content: bytes | None = None, **changes: Any) -> Classifier:
    """Load the model in a folder with other fields of its manifest, or another LiteRT file.

    The folder stays as it is.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        served = folder / LITERT
        served.write_bytes(content or (model / LITERT).read_bytes())
        recorded = {LITERT: record_file(served)}
        replace(read_manifest(model), files=recorded, **changes).write(folder)
        return Classifier(folder)
