"""The commands about labels that people gave."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.store.database import Store
from core.store.feedback_table import Feedback, Source, record
from tests.conftest import Draw


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "own-state"


def run(state: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--state-dir", str(state), *map(str, arguments)])


@pytest.fixture
def photos(tmp_path: Path, state: Path, draw: Draw) -> list[Path]:
    """Three photos with a label each, one of them corrected later; one is gone."""
    paths = []
    with closing(Store(state)) as store:
        for number, label in enumerate(("dog", "cat", "dog", "other")):
            path = tmp_path / f"photo-{number % 3}.jpg"
            if number < 3:
                draw("cats", number).save(path)
                paths.append(path)
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            record(
                store,
                Feedback(Source.SORTER, sha256, label, "cat", 0.5, "v1", path),
            )
    paths[1].unlink()
    return paths


def test_labels_are_listed_with_the_photo_where_it_is(state: Path, photos: list[Path]) -> None:
    lines = run(state, "feedback", "list").stdout.splitlines()
    assert len(lines) == 4
    assert "sorter: dog; catdog said cat 50%" in lines[0]
    assert lines[0].endswith("photo-0.jpg")
    assert lines[1].endswith("not here")
    objects = [
        json.loads(line) for line in run(state, "feedback", "list", "--json").stdout.splitlines()
    ]
    assert [one["photo"] for one in objects] == [
        str(photos[0]), None, str(photos[2]), str(photos[0]),
    ]  # fmt: skip
    assert "sha256" in run(state, "feedback", "show", 3).stdout
    assert json.loads(run(state, "feedback", "show", 3, "--json").stdout) == objects[2]
    assert run(state, "feedback", "show", 9).exit_code == 2


def test_a_photo_that_was_moved_by_catdog_is_found_by_its_content(
    state: Path, photos: list[Path], tmp_path: Path, tiny_model: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    path = photos[2].rename(inbox / "tom.jpg")
    with closing(Store(state)) as store:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        record(store, Feedback(Source.CLI, sha256, "cat", path=path))
    sorted_ = run(state, "sort", inbox, "--model", tiny_model)
    assert sorted_.exit_code == 0, sorted_.output
    assert (inbox / "cats" / "tom.jpg").exists()
    shown = json.loads(run(state, "feedback", "show", 5, "--json").stdout)
    assert shown["photo"] == str(inbox / "cats" / "tom.jpg")


def test_export_copies_the_last_word_on_each_photo_into_class_folders(
    state: Path, photos: list[Path], tmp_path: Path
) -> None:
    into = tmp_path / "labelled"
    result = run(state, "feedback", "export", into)
    assert result.stdout == "2 photos copied, 1 not found any more or never kept.\n"
    copies = {path.parent.name: path.read_bytes() for path in into.rglob("*.jpg")}
    assert copies == {"other": photos[0].read_bytes(), "dogs": photos[2].read_bytes()}
    again = run(state, "feedback", "export", into)
    assert again.exit_code == 2
    assert "is not empty" in again.stderr


@pytest.mark.usefixtures("photos")
def test_labels_are_dropped_by_number_or_all(state: Path) -> None:
    assert run(state, "feedback", "drop").exit_code == 2
    assert run(state, "feedback", "drop", 1, 9).exit_code == 2
    assert len(run(state, "feedback", "list").stdout.splitlines()) == 4
    assert run(state, "feedback", "drop", 1, 2).stdout == "2 forgotten.\n"
    assert run(state, "feedback", "drop", "--all").stdout == "2 forgotten.\n"
    assert run(state, "feedback", "list").stdout == "Nobody has said what a photo is yet.\n"
    assert run(state, "feedback", "list", "--json").stdout == ""
