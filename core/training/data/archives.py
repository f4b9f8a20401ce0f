"""Labelled photos in a zip or tar, unpacked for as long as they are needed."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import CatdogError, UsageRefused
from core.paths import display, hidden
from core.training.data.layout import find_photos, is_foreign

_OTHER_ARCHIVES = (".7z", ".rar")
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)


@contextmanager
def unpacked(data: Path, say: Callable[[str], object]) -> Iterator[Path]:
    """Yield a folder as it is, and for an archive a folder of what it holds, gone afterwards.

    Archives within it are unpacked where it holds no photo itself, as Kaggle packs them. Photos
    are named as if the archive were a folder. Raises UsageRefused for one that cannot be read,
    and CatdogError if there is no room.
    """
    if not _is_archive(data):
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="catdog-photos-") as work:
        folder = Path(work).resolve() / data.name
        say(f"{display(data)} is unpacked into a temporary folder.")
        _unpack(data, folder)
        if not find_photos(folder)[0]:
            for inner in sorted(path for path in folder.rglob("*") if _is_archive(path)):
                _unpack(inner, inner.with_suffix(""))
                inner.unlink()
        with hidden(f"{folder.parent}/"):
            yield folder


def _is_archive(path: Path) -> bool:
    if not path.is_file():
        return False
    if path.suffix.lower() in _OTHER_ARCHIVES:
        raise UsageRefused(
            f"{display(path)} is not a zip or tar. Unpack it first, and name the folder: "
            f"catdog train {display(path.with_suffix(''))}"
        )
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def _unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive below a folder; links and what would lie elsewhere are not."""
    folder.mkdir()
    try:
        for name, content in _members(archive):
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if ".." in parts or parts[0] == "/" or any(is_foreign(Path(one)) for one in parts):
                continue
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (*_DAMAGED, RuntimeError, NotImplementedError) as error:  # a password; a method
        raise UsageRefused(
            f"{display(archive)} cannot be unpacked ({error}). Download or pack it again, or "
            "unpack it yourself and name the folder."
        ) from error
    except OSError as error:
        raise CatdogError(
            f"{display(archive)} cannot be unpacked into {display(folder.parent)}: "
            f"{error.strerror or error}. Make room there, or say with TMPDIR where there is some."
        ) from error


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for one in opened.infolist():
                if not one.is_dir() and one.external_attr >> 16 & 0o170000 in (0, 0o100000):
                    yield one.filename, opened.open(one)
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content
