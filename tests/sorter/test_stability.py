"""Files that are being written are waited for."""

from __future__ import annotations

from pathlib import Path

from sorter.stability import SettlingFiles


def test_a_file_settles_once_it_has_been_still_long_enough(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.write_bytes(b"t")
    files = SettlingFiles(still_for=2.0)
    files.see(photo, now=10.0)
    assert files.take_settled(now=11.9) == []
    photo.write_bytes(b"to")
    files.see(photo, now=11.9)
    assert files.take_settled(now=12.0) == []
    assert files.take_settled(now=13.9) == []
    assert files.take_settled(now=14.0) == [photo]
    assert files.take_settled(now=99.0) == []


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.write_bytes(b"t")
    files = SettlingFiles(still_for=1.0)
    files.see(photo, now=0.0)
    files.see(tmp_path / "never there.jpg", now=0.0)
    photo.unlink()
    assert files.take_settled(now=5.0) == []
