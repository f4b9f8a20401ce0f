"""A photo's bytes, brought from where they lie before a core is taken up with them."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.archive.archive_extra import file_system, load
from core.archive.sources.source import Source
from core.errors import CatdogError, UnreadableCode, UnreadableImage
from core.images.decode import MAX_BYTES
from core.images.formats import HEADER_BYTES, sniff

# of photos that are fetched or wait for a core; a larger one is fetched when no other is
_MOST_BYTES = 64_000_000
# from here on a file's beginning is looked at first: it may be a film, or a backup of a disk
_LARGE_BYTES = 4_000_000


class Room:
    """Memory for bytes that are fetched, in bytes. Safe to share between threads."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self._most = most
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Wait until there is room for so many bytes, or nothing else is fetched, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


room = Room()  # one for the whole process, as its memory is


@contextmanager
def brought(source: Source) -> Iterator[Path | bytes]:
    """Bring a photo: its path where it lies on a disk, else its bytes. Raises UnreadableImage.

    A disk, or the network behind it, is asked to read ahead.
    """
    if not source.is_remote:
        path = Path(source.address)
        _read_ahead(path)
        yield path
        return
    size = source.size or 0
    if size > MAX_BYTES:
        raise UnreadableImage(
            UnreadableCode.TOO_LARGE,
            f"{source.address} has {size / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB "
            "that are read. Save it smaller.",
        )
    with room.taken(size):
        yield _fetched(source)


def _read_ahead(path: Path) -> None:
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # it is told when it is read
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(descriptor)


def _fetched(source: Source) -> bytes:
    """Fetch a photo; of a large file that is none only the beginning. Raises UnreadableImage."""
    fs, path = file_system(source.address)
    size = source.size
    try:
        if (size or 0) > _LARGE_BYTES:
            begin: bytes = fs.cat_file(path, start=0, end=HEADER_BYTES)
            if _is_no_image(begin, path):
                return begin
        # with its size said it is one request, else s3fs asks for that first
        content: bytes = fs.cat_file(path, start=0, end=size) if size else fs.cat_file(path)
    except FileNotFoundError as error:
        raise _vanished(source.address) from error
    except PermissionError as error:
        raise UnreadableImage(
            UnreadableCode.NO_PERMISSION,
            f"{source.address} may not be read by this user. Change its permissions.",
        ) from error
    except CatdogError:
        raise
    except Exception as error:  # each store's client raises what it likes
        raise UnreadableImage(
            UnreadableCode.IO_ERROR,
            f"{source.address} cannot be read ({error}). Check the network, then try again with "
            "--retry-errors.",
        ) from error
    return content


def _is_no_image(begin: bytes, name: str) -> bool:
    from core.images.raw.kinds import raw_kind
    from core.images.structure.base import Source as Beginning

    return sniff(begin, name) is None and raw_kind(Beginning(io.BytesIO(begin))) is None


def _vanished(name: str) -> UnreadableImage:
    return UnreadableImage(
        UnreadableCode.VANISHED, f"{name} is not there (any more). Check the path."
    )


def parquet_rows(sources: list[Source]) -> Iterator[tuple[Source, bytes]]:
    """Read photos that are rows of one row group of a Parquet file, a few at a time.

    `sources` are in the order of their places. Raises what reading raises.
    """
    first = sources[0].row
    assert first is not None
    wanted = {source.row.index: source for source in sources if source.row is not None}
    last, index = max(wanted), 0
    with opened_parquet(sources[0].address) as file:
        for batch in file.iter_batches(
            batch_size=16, row_groups=[first.group], columns=[first.column]
        ):
            values = batch.column(0)
            if load("pyarrow").types.is_struct(values.type):
                values = values.field("bytes")
            for value in values:
                if index in wanted:
                    yield wanted[index], value.as_py() or b""
                index += 1
            if index > last:
                return


@contextmanager
def opened_parquet(address: str) -> Iterator[Any]:
    """Open a Parquet file, on a disk or elsewhere, to be read in pieces."""
    parquet = load("pyarrow.parquet")
    fs, path = file_system(address) if "://" in address else (None, address)
    with Path(path).open("rb") if fs is None else fs.open(path, "rb") as file:
        yield parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
