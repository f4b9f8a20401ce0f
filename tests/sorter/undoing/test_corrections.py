"""A photo that the person moves from one class's folder to another's is a label."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.store.database import Store
from core.store.feedback_table import Source, recorded
from sorter.undoing.corrections import notice

LABELS = {"cats": "cat", "dogs": "dog", "other": "other"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[..., Any], tiny_model: Path) -> Path:
    folder = (tmp_path / "pictures").resolve()
    folder.mkdir()
    for kind, seed in (("cats", 300), ("cats", 301), ("dogs", 300), ("other", 300)):
        draw(kind, seed).save(folder / f"{kind}{seed}.jpg")
    run("sort", folder, "--model", tiny_model, "--others", "move")
    return folder


def test_it_is_recorded_once_for_each_place(folder: Path, store: Store) -> None:
    assert notice(store, folder, LABELS) == []
    moved = (folder / "cats" / "cats300.jpg").rename(folder / "dogs" / "really a dog.jpg")
    (correction,) = notice(store, folder, LABELS)
    assert (correction.label, correction.found_at) == ("dog", moved)
    assert notice(store, folder, LABELS) == []
    (feedback,) = recorded(store)
    assert feedback.source is Source.SORTER
    assert feedback.sha256 == hashlib.sha256(moved.read_bytes()).hexdigest()
    assert (feedback.label, feedback.predicted, feedback.path) == ("dog", "cat", moved)
    assert feedback.confidence is not None
    moved.rename(folder / "cats" / "a cat after all.jpg")
    notice(store, folder, LABELS)
    assert [feedback.label for feedback in recorded(store)] == ["dog", "cat"]


def test_a_photo_set_apart_and_then_filed_by_hand_is_one(folder: Path, store: Store) -> None:
    (folder / "other" / "other300.jpg").rename(folder / "cats" / "other300.jpg")
    (correction,) = notice(store, folder, LABELS)
    assert correction.label == "cat"


def test_one_put_into_a_folder_that_is_no_classs_is_none(folder: Path, store: Store) -> None:
    """Such as both/, of which no photo is ever put into a folder."""
    (folder / "both").mkdir()
    (folder / "cats" / "cats300.jpg").rename(folder / "both" / "cats300.jpg")
    assert notice(store, folder, LABELS) == []
    (folder / "both" / "cats300.jpg").rename(folder / "dogs" / "cats300.jpg")
    (correction,) = notice(store, folder, LABELS)
    assert correction.label == "dog"


def test_what_is_no_correction_is_none(folder: Path, store: Store) -> None:
    (folder / "cats" / "best").mkdir()
    (folder / "cats" / "cats300.jpg").rename(folder / "cats" / "best" / "tom.jpg")
    (folder / "cats" / "cats301.jpg").unlink()
    (folder / "dogs" / "cats301.jpg").write_bytes(b"another file of that name")
    (folder / "dogs" / "dogs300.jpg").rename(folder.parent / "away.jpg")
    assert notice(store, folder, LABELS) == []
    assert recorded(store) == []


def test_the_next_sort_notices_and_undo_and_history_know(
    folder: Path, store: Store, tiny_model: Path
) -> None:
    (folder / "cats" / "cats300.jpg").rename(folder / "dogs" / "cats300.jpg")
    run("sort", folder, "--model", tiny_model)
    assert [feedback.label for feedback in recorded(store)] == ["dog"]
    assert f"(you moved it to {folder / 'dogs' / 'cats300.jpg'})" in run("history", "1").stdout
    result = run("undo", "1")
    assert f"you moved it to {folder / 'dogs' / 'cats300.jpg'}" in result.stdout
    assert (folder / "dogs" / "cats300.jpg").exists()
    left = [json.loads(o) for o in run("undo", "1", "--json").stdout.splitlines()]
    assert [o["reason"] for o in left] == ["moved"]
