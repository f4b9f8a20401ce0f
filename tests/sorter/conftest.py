"""What the sorter's tests share: files with their times, and a journal of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.store.database import Store

MTIME_NS = 1_600_000_000_123_456_700
DEADLINE = 60.0  # seconds; only a failing test waits that long


@pytest.fixture
def store() -> Iterator[Store]:
    """The journal that the commands use, too."""
    store = Store(Path(os.environ["CATDOG_STATE_DIR"]))
    yield store
    store.close()


@pytest.fixture
def put() -> Callable[[Path, bytes], Path]:
    """Make a file, and the folders to it, that is some years old."""

    def put(path: Path, content: bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        return path

    return put


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Read all files of a folder, by their path in it."""

    def tree(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }

    return tree


@pytest.fixture
def times() -> Callable[[Path], dict[str, int]]:
    """Read the times of change of all files of a folder, in nanoseconds."""

    def times(folder: Path) -> dict[str, int]:
        return {
            path.relative_to(folder).as_posix(): path.lstat().st_mtime_ns
            for path in folder.rglob("*")
            if not path.is_dir()
        }

    return times


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    """Wait for something to be true, with a deadline."""

    def wait_until(true: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    return wait_until
