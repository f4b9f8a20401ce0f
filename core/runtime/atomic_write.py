"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new name in the folder of `path`; what is written there takes its place at the end.

    If the context raises, `path` stays as it was, and nothing is left beside it.
    """
    new = path.with_name(f"new-{uuid.uuid4().hex}-{path.name}")  # Keras goes by the suffix
    try:
        yield new
        with new.open("r+b") as file:  # Windows syncs no file that is open for reading alone
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, a text in UTF-8, in the place of any that is there."""
    with replacing(path) as new:
        new.write_bytes(content.encode() if isinstance(content, str) else content)
