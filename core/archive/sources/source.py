"""One photo of an archive: where it lies, and what tells whether it is still the same."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

_MOST = 2**63 - 1  # Parquet's integers; times after 2262 are more nanoseconds


@dataclass(frozen=True, slots=True)
class ParquetRow:
    """Where in a Parquet file a photo's bytes are."""

    column: str
    group: int  # number of the row group
    index: int  # in the group


@dataclass(frozen=True, slots=True)
class Source:
    """A photo that is to be classified."""

    key: bytes  # identifies it in the table
    address: str  # of its file: a path, with surrogate escapes, or `scheme://...`
    size: int | None = None  # bytes; None for what was not there
    mtime_ns: int | None = None
    etag: str | None = None
    row: ParquetRow | None = None  # of a photo inside a Parquet file, which `address` names

    @property
    def is_remote(self) -> bool:
        return is_remote(self.address)

    @property
    def digest(self) -> bytes:
        return digest_of(self.key)

    @property
    def fingerprint(self) -> int:
        return fingerprint(self.etag, self.size, self.mtime_ns)


def of_file(path: Path) -> Source:
    """Return a file as a source; what is not there, or may not be looked at, has no size."""
    path = path.absolute()
    try:
        status = path.stat()
    except OSError:
        return Source(os.fsencode(path), str(path))
    return Source(
        os.fsencode(path), str(path), status.st_size, max(-_MOST, min(status.st_mtime_ns, _MOST))
    )


def is_remote(address: str) -> bool:
    """Return whether this is an address such as `s3://bucket/photos`, not a path."""
    scheme, found, _ = address.partition("://")
    return bool(found) and scheme.replace("+", "").isalnum()


def written(key: bytes) -> str:
    """Write a key as text: bytes that are no UTF-8 are percent-encoded."""
    text = key.decode("utf-8", "surrogateescape")
    if text.isascii() or not any("\udc80" <= char <= "\udcff" for char in text):
        return text
    return "".join(
        f"%{ord(char) - 0xDC00:02X}" if "\udc80" <= char <= "\udcff" else char for char in text
    )


def digest_of(key: bytes) -> bytes:
    """Digest a key to 16 bytes, the last of which is never 0: NumPy's `S16` drops zeros."""
    return hashlib.blake2b(key, digest_size=15).digest() + b"\1"


def fingerprint(etag: str | None, size: int | None, mtime_ns: int | None) -> int:
    """Digest what changes when a photo does to 64 bits."""
    text = f"{etag}|{size}" if etag is not None else f"{size}|{mtime_ns}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
