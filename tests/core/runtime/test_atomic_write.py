"""Files are replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runtime.atomic_write import replacing, write_atomically


def test_takes_the_place_of_the_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "promoted"
    path.write_text("old")
    write_atomically(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    write_atomically(path, b"\0\1")
    assert path.read_bytes() == b"\0\1"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "last.keras"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as new:
            assert (new.parent, new.suffix) == (tmp_path, ".keras")
            new.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_not_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "photo.jpg"):
        pass
    assert not list(tmp_path.iterdir())
