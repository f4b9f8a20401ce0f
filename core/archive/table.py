"""The table: a folder of Parquet files, each of which appears whole, on a disk or in a store."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from core.archive.archive_extra import file_system, load
from core.archive.row import EMBEDDING, keys_of, schema
from core.archive.sources.source import is_remote
from core.errors import CatdogError, ExitCode, UsageRefused
from core.paths import display

_SUFFIX = ".parquet"
_UNFINISHED = ".unfinished"  # no reader takes it for a part, nor what begins with a dot
_LOCK = ".lock"


class TableBusy(CatdogError):
    """Another command writes the table."""

    exit_code = ExitCode.BUSY


class _Folder(Protocol):
    """Where parts lie."""

    def names(self) -> list[str]: ...
    def read(self, name: str) -> Any: ...
    def write(self, name: str, content: bytes) -> None: ...
    def locked(self, state_dir: Path) -> Any: ...


class Table:
    """A table of photos, in parts."""

    def __init__(self, address: str) -> None:
        """`address` is a folder, or `scheme://...`. Raises ExtraMissing, UsageRefused."""
        load("pyarrow.parquet")
        self.address = address
        self._folder: _Folder = _Remote(address) if is_remote(address) else _Local(Path(address))

    def parts(self) -> list[str]:
        """Name the parts that are there, in their order."""
        return sorted(
            name
            for name in self._folder.names()
            if name.endswith(_SUFFIX) and not name.startswith((".", "_"))
        )

    def read(self, part: str, columns: Sequence[str] | None = None) -> Any:
        """Read a part, a `pyarrow.Table`. Raises UsageRefused if it is none of ours."""
        pa = load("pyarrow")
        try:
            with self._opened(part) as file:
                return load("pyarrow.parquet").read_table(file, columns=columns)
        except (pa.ArrowInvalid, KeyError) as error:
            raise UsageRefused(
                f"{self.address}/{part} is no part of a table that catdog writes ({error}). Name "
                "a folder of its own with --to."
            ) from error

    @contextmanager
    def _opened(self, part: str) -> Iterator[Any]:
        with self._folder.read(part) as file:
            yield file

    def publish(self, rows: Any, *, name: str | None = None) -> str:
        """Write a part whole, in the place of the one of that name if there is one.

        Returns: its name, which follows from its keys.
        """
        name = name or part_name(keys_of(rows))
        file = io.BytesIO()
        load("pyarrow.parquet").write_table(rows, file, compression="zstd")
        self._folder.write(name, file.getvalue())
        return name

    def check_columns(self, *, embeddings: bool) -> None:
        """Raise UsageRefused if the table's parts have other columns than asked for."""
        for part in self.parts()[:1]:
            with self._opened(part) as file:
                there = load("pyarrow.parquet").read_schema(file).names
            if there == schema(embeddings=embeddings).names:
                return
            if set(there) ^ set(schema(embeddings=embeddings).names) == {EMBEDDING}:
                has = "has embeddings: say --embeddings" if EMBEDDING in there else "has none"
                raise UsageRefused(f"{self.address} {has}, or write another table.")
            raise UsageRefused(
                f"{self.address}/{part} is no part of a table that catdog writes. Name a folder "
                "of its own with --to."
            )

    @contextmanager
    def locked(self, state_dir: Path) -> Iterator[None]:
        """Hold the table against other commands, and clear what killed ones left unfinished.

        That of a store is held on this machine alone. Raises TableBusy.
        """
        with self._folder.locked(state_dir):
            yield


def part_name(keys: Iterable[bytes]) -> str:
    """Name a part by its photos' keys."""
    digest = hashlib.blake2b(digest_size=16)
    for key in sorted(keys):
        digest.update(len(key).to_bytes(4, "big") + key)
    return f"part-{digest.hexdigest()}{_SUFFIX}"


@contextmanager
def _lock(file: Path, address: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(file, timeout=0):
            yield
    except Timeout as error:
        raise TableBusy(
            f"Another catdog writes {address}. Wait until it ends, or write another table."
        ) from error


class _Local:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._refused(error) from error

    def read(self, name: str) -> Any:
        return (self._folder / name).open("rb")

    def write(self, name: str, content: bytes) -> None:
        new = self._folder / f".{name}{_UNFINISHED}"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / name)

    @contextmanager
    def locked(self, state_dir: Path) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(error) from error
        with _lock(self._folder / _LOCK, display(self._folder)):
            for name in self.names():
                if name.endswith(_UNFINISHED):
                    (self._folder / name).unlink()
            yield

    def _refused(self, error: OSError) -> UsageRefused:
        return UsageRefused(
            f"{display(self._folder)} cannot be written: {error.strerror}. Name another folder."
        )


class _Remote:
    def __init__(self, address: str) -> None:
        self._address = address
        self._fs, self._path = file_system(address.rstrip("/"))

    def names(self) -> list[str]:
        self._fs.invalidate_cache()
        try:
            return [path.rpartition("/")[2] for path in self._fs.ls(self._path, detail=False)]
        except FileNotFoundError:
            return []

    def read(self, name: str) -> Any:
        return io.BytesIO(self._fs.cat_file(f"{self._path}/{name}"))

    def write(self, name: str, content: bytes) -> None:
        self._fs.pipe_file(f"{self._path}/{name}", content)  # one PUT: there whole, or not at all

    @contextmanager
    def locked(self, state_dir: Path) -> Iterator[None]:
        state_dir.mkdir(parents=True, exist_ok=True)
        name = hashlib.blake2b(self._address.encode(), digest_size=8).hexdigest()
        with _lock(state_dir / f"archive-{name}.lock", self._address):
            yield
