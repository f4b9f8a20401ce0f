"""Folders, patterns, lists of paths: each photo, in an order that is the same each time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.sources.source_listing import Columns, Passed, list_sources
from core.errors import UsageRefused


def _paths(*names: object, passed: Passed | None = None) -> list[str]:
    listed = list_sources(map(str, names), Columns(), passed or Passed())
    return [source.address for source in listed]


def test_a_folder_is_listed_with_its_subfolders_but_not_hidden_or_other_files(
    photos: Callable[..., Path],
) -> None:
    folder = photos(2)
    (folder / "sub").mkdir()
    (folder / ".hidden").mkdir()
    for name in ("sub/a.PNG", ".hidden/b.jpg", ".c.jpg", "notes.txt", "sub/psd.psd"):
        (folder / name).write_bytes(b"x")
    (folder / "link.jpg").symlink_to(folder / "00000.jpg")
    passed = Passed()
    assert _paths(folder, passed=passed) == [
        str(folder / name) for name in ("00000.jpg", "00001.jpg", "sub/a.PNG", "sub/psd.psd")
    ]
    assert passed.not_photos == 2  # the text and the link


def test_other_programs_libraries_thumbnails_and_bins_are_passed(
    photos: Callable[..., Path],
) -> None:
    folder = photos(1)
    for name in ("@eaDir", "Photos.photoslibrary/originals", "sub/#recycle"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.jpg").write_bytes(b"x")
    passed = Passed()
    assert _paths(folder, passed=passed) == [str(folder / "00000.jpg")]
    assert passed.other_stores == 3


def test_patterns_and_single_files(photos: Callable[..., Path]) -> None:
    folder = photos(12)
    assert _paths(folder / "0000[12].jpg", folder / "00007.jpg") == [
        str(folder / f"0000{number}.jpg") for number in (1, 2, 7)
    ]


def test_a_list_of_paths_whatever_their_bytes(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    odd.write_bytes(b"x")
    names = tmp_path / "names.txt"
    names.write_bytes(os.fsencode(odd) + b"\r\n\n" + os.fsencode(tmp_path / "gone.jpg"))
    listed = list(list_sources([str(names)], Columns(), Passed()))
    assert [source.key for source in listed] == [
        os.fsencode(odd),
        os.fsencode(tmp_path / "gone.jpg"),
    ]
    assert [source.size for source in listed] == [1, None]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in (tmp_path / "none", tmp_path / "*.jpg", tmp_path / "none.parquet"):
        with pytest.raises(UsageRefused, match=r"is not there|Nothing is called"):
            _paths(name)


def test_folders_that_cannot_be_listed_are_named(
    photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scandir = photos(1), os.scandir
    (folder / "closed").mkdir()

    def denied(path: Any) -> Any:  # root, as which tests may run, is denied nothing
        if path == folder / "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    passed = Passed()
    assert len(_paths(folder, passed=passed)) == 1
    assert passed.unlisted == [str(folder / "closed")]
