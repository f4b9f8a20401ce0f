"""The photos that a person names: folders, patterns, addresses, lists of paths, Parquet files."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.archive.sources.parquet import rows_of_parquet
from core.archive.sources.source import Source, is_remote, of_file
from core.archive.sources.stores import files_of_store
from core.errors import UsageRefused
from core.images.listing import is_image_name, list_folders
from core.images.other_stores import is_other_store
from core.paths import display
from core.runtime.lookahead import map_ahead

log = logging.getLogger(__name__)

_PARQUET = (".parquet", ".pq")
_LISTS = (".txt", ".lst", ".list")
_LOOKED_AT = 32  # files of a list at once: each may be an answer of a store's away


@dataclass(slots=True)
class Passed:
    """What a listing came by and passed."""

    not_photos: int = 0
    other_stores: int = 0  # folders of photo libraries, thumbnails, recycle bins
    unlisted: list[str] = field(default_factory=list)  # folders that cannot be listed


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a Parquet source are meant; None: they are found by their types."""

    photo: str | None = None  # paths or bytes
    key: str | None = None  # names photos that are bytes


def list_sources(names: Iterable[str], columns: Columns, passed: Passed) -> Iterator[Source]:
    """Return the photos of all sources, in an order that is the same each time.

    Folders are listed with their subfolders. Raises UsageRefused for what is not there.
    """
    for name in names:
        if not is_remote(name) and not os.path.lexists(name) and glob.has_magic(name):
            found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  # Path's has no absolute ones
            if not found:
                raise UsageRefused(f"Nothing is called {name}. Check the pattern.")
            for one in found:
                yield from _of_one(one, columns, passed)
        else:
            yield from _of_one(name, columns, passed)


def _of_one(name: str, columns: Columns, passed: Passed) -> Iterator[Source]:
    suffix = os.path.splitext(name)[1].lower()
    if suffix in _PARQUET:
        yield from _of_parquet(name, columns, passed)
    elif is_remote(name):
        yield from files_of_store(name, passed)
    elif os.path.isdir(name):
        yield from _of_folder(Path(name), passed)
    elif not os.path.isfile(name):
        raise UsageRefused(f"{display(Path(name))} is not there. Check the path.")
    elif suffix in _LISTS:
        yield from _of_names(_lines(Path(name)), passed)
    else:
        yield of_file(Path(name))


def _of_folder(folder: Path, passed: Passed) -> Iterator[Source]:
    def unlisted(below: Path, error: OSError) -> None:
        log.warning("%s is passed over: %s", display(below), error.strerror)
        passed.unlisted.append(str(below))

    def skip(below: Path) -> bool:
        is_others = is_other_store(below.name)
        passed.other_stores += is_others
        return is_others

    try:
        for listing in list_folders(
            folder.absolute(), recursive=True, skip=skip, is_wanted=is_image_name, unlisted=unlisted
        ):
            passed.not_photos += len(listing.others)
            for photo in listing.photos:
                yield of_file(listing.folder / photo)
    except OSError as error:
        raise UsageRefused(f"{display(folder)} cannot be listed: {error.strerror}.") from error


def _lines(file: Path) -> Iterator[str]:
    """Read a list of paths, one a line, whatever their bytes; empty lines do not count."""
    with file.open("rb") as lines:
        for line in lines:
            name = os.fsdecode(line.rstrip(b"\r\n"))
            if name:
                yield name


def _of_names(names: Iterable[str], passed: Passed) -> Iterator[Source]:
    """Look at each file of a list, many at once; what is not there is a source without a size."""
    look = partial(_of_name, passed=passed)
    for _, source in map_ahead(look, names, threads=_LOOKED_AT):
        yield source


def _of_name(name: str, passed: Passed) -> Source:
    if not is_remote(name):
        return of_file(Path(name))
    try:
        (source,) = files_of_store(name, passed, only_one=True)
    except UsageRefused:  # it may be there when its turn comes, or is a row with its error
        return Source(name.encode(), name)
    return source


def _of_parquet(name: str, columns: Columns, passed: Passed) -> Iterator[Source]:
    """Return a Parquet file's rows: photos' bytes as they are, paths as the files they name."""
    for kind, rows in rows_of_parquet(name, columns.photo, columns.key):
        if kind == "bytes":
            yield from rows
        else:
            yield from _of_names(rows, passed)
