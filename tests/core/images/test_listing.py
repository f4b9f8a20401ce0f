"""Which files count as photos."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from core.images.listing import list_folders, list_photos
from tests.conftest import Draw


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    photo = draw("cats", 1)
    photo.save(tmp_path / "a.jpg")
    photo.save(tmp_path / "B.JPG", format="JPEG")
    photo.save(tmp_path / "no suffix", format="PNG")
    (tmp_path / "notes").write_text("no image")
    (tmp_path / "film.mov").write_bytes(b"\0\0\0\x14ftypqt  ")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / ".hidden.jpg").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    photo.save(tmp_path / "sub" / "c.jpg")
    return tmp_path


def names(folder: Path, *, recursive: bool = False) -> list[str]:
    found = list_photos(folder, recursive=recursive)
    return [path.relative_to(folder).as_posix() for path in found]


def test_photos_go_by_suffix_and_without_one_by_content(folder: Path) -> None:
    (listing,) = list_folders(folder)
    assert listing.photos == ("B.JPG", "a.jpg", "no suffix")
    assert listing.others == ("Thumbs.db", "film.mov", "notes")


def test_subfolders_are_entered_only_when_asked(folder: Path) -> None:
    assert "sub/c.jpg" not in names(folder)
    assert "sub/c.jpg" in names(folder, recursive=True)
    found = list_photos(folder, recursive=True, skip=lambda path: path.name == "sub")
    assert folder / "sub" / "c.jpg" not in list(found)


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and links as POSIX has them")
def test_links_and_special_files_are_never_photos(folder: Path) -> None:
    (folder / "link.jpg").symlink_to(folder / "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    os.mkfifo(folder / "pipe")
    found = names(folder)
    assert "link.jpg" not in found
    assert "pipe.jpg" not in found
    assert "no suffix" in found


def test_a_subfolder_that_cannot_be_listed_is_named_and_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with caplog.at_level(logging.WARNING):
        assert "a.jpg" in names(folder, recursive=True)
    assert "sub is passed over" in caplog.text
