"""What has no end is not read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.runtime.regular_file import open_regular

pytestmark = pytest.mark.skipif(os.name != "posix", reason="special files as POSIX has them")


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"tom")
    (tmp_path / "link").symlink_to("a")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"tom"


def test_a_fifo_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    for path in (tmp_path / "fifo", tmp_path / "link", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="It is not a file"):
            open_regular(path)
