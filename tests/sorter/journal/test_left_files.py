"""What was left is remembered for as long as it and the rules are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.store.database import Store
from sorter.identity import FileIdentity
from sorter.journal.left_files import LeftFiles

Put = Callable[[Path, bytes], Path]


def identity_of(path: Path) -> FileIdentity:
    identity = FileIdentity.of(path)
    assert identity is not None
    return identity


def test_it_knows_a_file_by_path_size_time_and_rules(
    store: Store, tmp_path: Path, put: Put
) -> None:
    photo = put(tmp_path / "tom.jpg", b"tom")
    memory = LeftFiles(store, "model 1, 0.9")
    memory.remember(photo, identity_of(photo), "unsure")
    assert memory.reason(photo, identity_of(photo)) is None
    memory.flush()
    assert memory.reason(photo, identity_of(photo)) == "unsure"
    assert LeftFiles(store, "model 1, 0.9").reason(photo, identity_of(photo)) == "unsure"
    assert LeftFiles(store, "model 2, 0.9").reason(photo, identity_of(photo)) is None
    put(photo, b"tommy")
    assert memory.reason(photo, identity_of(photo)) is None
    memory.remember(photo, identity_of(photo), "neither")
    memory.flush()
    assert memory.reason(photo, identity_of(photo)) == "neither"


def test_what_is_gone_is_forgotten(store: Store, tmp_path: Path, put: Put) -> None:
    memory = LeftFiles(store, "rules")
    inside, gone = put(tmp_path / "in" / "a.jpg", b"a"), put(tmp_path / "in" / "b.jpg", b"b")
    outside = put(tmp_path / "in2" / "c.jpg", b"c")
    for photo in (inside, gone, outside):
        memory.remember(photo, identity_of(photo), "unsure")
    memory.flush()
    identities = identity_of(gone), identity_of(outside)
    gone.unlink()
    outside.unlink()
    memory.forget_missing(tmp_path / "in")
    assert memory.reason(inside, identity_of(inside)) == "unsure"
    assert memory.reason(gone, identities[0]) is None
    assert memory.reason(outside, identities[1]) == "unsure"
