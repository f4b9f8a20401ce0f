"""Files that are being written are waited for."""

from __future__ import annotations

from pathlib import Path

from sorter.watching.settling import SettlingFiles


def test_a_file_settles_once_it_has_been_still_long_enough(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.write_bytes(b"t")
    files = SettlingFiles(still_for=2.0)
    assert files.wait_for(photo, now=10.0)
    assert files.take_settled(now=11.9) == []
    photo.write_bytes(b"to")
    assert not files.wait_for(photo, now=11.9)
    assert files.take_settled(now=12.0) == []  # not what it was: the wait begins anew
    assert files.take_settled(now=13.9) == []
    assert files.take_settled(now=14.0) == [photo]
    assert files.take_settled(now=99.0) == []


def test_what_settled_is_given_again_only_once_it_changes(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.write_bytes(b"t")
    files = SettlingFiles(still_for=1.0)
    files.wait_for(photo, now=0.0)
    assert files.take_settled(now=1.0) == [photo]
    assert not files.wait_for(photo, now=2.0)
    assert files.is_settled(photo, now=2.0)
    photo.write_bytes(b"to")
    assert not files.is_settled(photo, now=3.0)
    assert files.take_settled(now=4.0) == [photo]
    files.wait_again(photo, now=4.0, seconds=0.5)
    assert files.take_settled(now=4.4) == []
    assert files.is_settled(photo, now=4.4)  # what stands beside it need not wait
    assert files.take_settled(now=4.5) == [photo]
    files.forget(photo)
    assert files.wait_for(photo, now=5.0)


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    photo = tmp_path / "tom.jpg"
    photo.write_bytes(b"t")
    files = SettlingFiles(still_for=1.0)
    files.wait_for(photo, now=0.0)
    assert not files.wait_for(tmp_path / "never there.jpg", now=0.0)
    photo.unlink()
    assert files.take_settled(now=5.0) == []
    assert len(files) == 0
    photo.write_bytes(b"t")
    files.wait_for(photo, now=5.0)
    assert files.take_settled(now=6.0) == [photo]
    photo.unlink()
    files.forget_missing()
    photo.write_bytes(b"t")
    assert files.wait_for(photo, now=7.0)
