"""A name is taken once, whatever the file system can do."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sorter.moving import rename as rename_module
from sorter.moving.rename import rename_no_replace

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


def raising(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("how", ["platform", "link", "claim"])
def test_a_name_is_taken_once_however_the_file_system_does_it(
    put: Put, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """With the platform's rename, with hard links, and with neither."""
    if how != "platform":
        if sys.platform == "win32":
            pytest.skip("Windows needs neither")
        monkeypatch.setattr(
            rename_module, "_platform_rename", lambda: lambda one, other: errno.EINVAL
        )
    if how == "claim":
        monkeypatch.setattr(os, "link", raising(errno.EPERM))
    one, two = put(tmp_path / "one", b"1"), put(tmp_path / "two", b"2")
    rename_no_replace(one, tmp_path / "taken")
    with pytest.raises(FileExistsError):
        rename_no_replace(two, tmp_path / "taken")
    assert tree(tmp_path) == {"taken": b"1", "two": b"2"}


def test_renaming_passes_other_errors_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        rename_no_replace(tmp_path / "gone", tmp_path / "new")
    if sys.platform != "win32":
        monkeypatch.setattr(rename_module, "_platform_rename", lambda: None)
        with pytest.raises(FileNotFoundError):
            rename_no_replace(tmp_path / "gone", tmp_path / "new")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows needs neither")
@pytest.mark.parametrize("how", ["link", "claim"])
def test_a_name_is_given_up_again_if_the_last_step_fails(
    put: Put, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A folder whose files may not be removed, say: nothing of ours stays behind."""
    monkeypatch.setattr(rename_module, "_platform_rename", lambda: None)
    one = put(tmp_path / "one", b"1")
    unlink = Path.unlink

    def refuse(self: Path, *arguments: object) -> None:
        if self == one:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(self)

    monkeypatch.setattr(Path, "unlink", refuse)
    if how == "claim":
        monkeypatch.setattr(os, "link", raising(errno.EPERM))
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        rename_no_replace(one, tmp_path / "new")
    assert tree(tmp_path) == {"one": b"1"}


def test_no_permission_is_no_reason_to_try_another_way(
    put: Put, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rename_module, "_platform_rename", lambda: lambda one, other: errno.EPERM)
    if sys.platform == "win32":
        pytest.skip("Windows has one way")
    one = put(tmp_path / "one", b"1")
    with pytest.raises(PermissionError):
        rename_no_replace(one, tmp_path / "new")
    assert tree(tmp_path) == {"one": b"1"}
