"""Each answer moves what it should, once, and is taken back to the byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog import main
from core.store.database import Store
from core.store.feedback_table import Source, recorded
from tests.sorter.review.conftest import Folder

Photos = Callable[[int], list[Path]]
Tree = Callable[[Path], dict[str, bytes]]


def test_classes_are_filed_and_what_is_none_stays_with_its_label(
    folder: Folder, photos: Photos, store: Store, tree: Tree
) -> None:
    photos(4)
    (folder.path / "000.xmp").write_text("about 000")
    before = tree(folder.path)
    served = folder.serve("--threshold", "1")
    ids = {one["name"]: one["id"] for one in served.read()["photos"]}
    assert len(ids) == 4
    labels = {"000.png": "cat", "001.png": "dog", "002.png": "other"}
    for name, label in labels.items():
        reply = served.decide(ids[name], label)
        assert reply["done"]
    assert tree(folder.path) == {
        "cats/000.png": before["000.png"],
        "cats/000.xmp": before["000.xmp"],
        "dogs/001.png": before["001.png"],
        "002.png": before["002.png"],
        "003.png": before["003.png"],
    }
    assert [(one.source, one.label) for one in recorded(store)] == [
        (Source.REVIEW, label) for label in labels.values()
    ]
    for _ in labels:
        assert served.undo()["done"]
    assert served.undo() == {"done": False, "reason": "nothing", "photo": None}
    assert tree(folder.path) == before
    assert recorded(store) == []


def test_what_has_a_label_is_not_shown_again_until_it_changes(
    folder: Folder, photos: Photos, draw: Callable[..., object]
) -> None:
    (photo, _) = photos(2)
    served = folder.serve("--threshold", "1")
    id = {one["name"]: one["id"] for one in served.read()["photos"]}
    served.decide(id["000.png"], "other")
    served.stop()
    assert [one["name"] for one in folder.serve("--threshold", "1").read()["photos"]] == ["001.png"]
    draw("dogs", 77, (32, 24)).save(photo)  # type: ignore[attr-defined]
    names = [one["name"] for one in folder.serve("--threshold", "1").read()["photos"]]
    assert sorted(names) == ["000.png", "001.png"]


def test_what_is_neither_goes_to_other_if_asked(folder: Folder, photos: Photos, tree: Tree) -> None:
    photos(1)
    served = folder.serve("--threshold", "1", "--others", "move")
    (shown,) = served.read()["photos"]
    assert served.decide(shown["id"], "other")["done"]
    assert list(tree(folder.path)) == ["other/000.png"]
    assert served.undo()["done"]
    assert list(tree(folder.path)) == ["000.png"]


def test_the_same_key_said_twice_counts_once(
    folder: Folder, photos: Photos, store: Store, tree: Tree
) -> None:
    photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    for _ in range(3):  # a page that did not hear the answer asks again; a second tab, too
        assert served.decide(shown["id"], "cat", request="the same")["done"]
    assert served.decide(shown["id"], "cat")["done"]
    assert len(recorded(store)) == 1
    assert served.undo()["done"]
    assert list(tree(folder.path)) == ["000.png"]
    assert not served.undo()["done"]


def test_an_answer_that_comes_before_the_folder_is_read_is_not_lost(
    folder: Folder, photos: Photos, tree: Tree
) -> None:
    """A page that waited for catdog to start again sends at once."""
    photos(30)
    served = folder.serve("--threshold", "1")
    shown = served.read()["photos"]
    served.kill()
    (Path(os.environ["CATDOG_STATE_DIR"]) / "catdog.sqlite3").rename(folder.path.parent / "gone")
    served.url = folder.serve("--threshold", "1").url  # it knows none of them yet
    assert served.decide(shown[-1]["id"], "cat")["done"]
    assert list(tree(folder.path / "cats")) == [shown[-1]["name"]]


def test_another_answer_takes_the_place_of_the_first(
    folder: Folder, photos: Photos, store: Store, tree: Tree
) -> None:
    photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    served.decide(shown["id"], "cat")
    assert served.decide(shown["id"], "dog")["done"]
    assert list(tree(folder.path)) == ["dogs/000.png"]
    assert [one.label for one in recorded(store)] == ["dog"]


def test_what_changed_or_is_gone_is_said_and_not_guessed(
    folder: Folder, photos: Photos, store: Store, draw: Callable[..., object]
) -> None:
    changed, gone, replaced = photos(3)
    served = folder.serve("--threshold", "1")
    ids = {one["name"]: one["id"] for one in served.read()["photos"]}
    draw("dogs", 99, (40, 40)).save(changed)  # type: ignore[attr-defined]
    gone.unlink()
    replaced.unlink()
    replaced.mkdir()
    for path, reason in ((changed, "changed"), (gone, "vanished"), (replaced, "changed")):
        reply = served.decide(ids[path.name], "cat")
        assert (reply["done"], reply["reason"]) == (False, reason)
        assert reply["photo"]["state"] == "gone"
    assert recorded(store) == []
    assert changed.is_file()


def test_nothing_is_ever_replaced(folder: Folder, photos: Photos, tree: Tree) -> None:
    (photo,) = photos(1)
    (folder.path / "cats").mkdir()
    (folder.path / "cats" / photo.name).write_bytes(b"another photo")
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    assert served.decide(shown["id"], "cat")["done"]
    assert sorted(tree(folder.path)) == ["cats/000 (1).png", "cats/000.png"]
    assert (folder.path / "cats" / photo.name).read_bytes() == b"another photo"


def test_a_photo_that_is_filed_already_is_left_and_said_to_be_a_duplicate(
    folder: Folder, photos: Photos
) -> None:
    (photo,) = photos(1)
    (folder.path / "cats").mkdir()
    shutil.copy(photo, folder.path / "cats" / photo.name)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    reply = served.decide(shown["id"], "cat")
    assert (reply["done"], reply["reason"]) == (False, "duplicate")
    assert photo.is_file()


def test_catdog_undo_takes_back_a_review_and_its_labels(
    folder: Folder, photos: Photos, store: Store, tree: Tree
) -> None:
    photos(2)
    before = tree(folder.path)
    served = folder.serve("--threshold", "1")
    for one in served.read()["photos"]:
        served.decide(one["id"], "cat")
    served.stop()
    assert CliRunner().invoke(main, ["undo"]).exit_code == 0
    assert tree(folder.path) == before
    shown = folder.serve("--threshold", "1").read()["photos"]
    assert len(shown) == 2
    assert recorded(store) == []


def test_undo_reaches_back_over_restarts(folder: Folder, photos: Photos, tree: Tree) -> None:
    photos(2)
    before = tree(folder.path)
    served = folder.serve("--threshold", "1")
    for one in served.read()["photos"]:
        served.decide(one["id"], "dog")
    served.stop()
    served = folder.serve("--threshold", "1")
    assert served.read()["photos"] == []
    assert served.undo()["done"]
    assert served.undo()["done"]
    assert tree(folder.path) == before


def test_a_photo_that_a_person_has_moved_on_is_not_undone_blindly(
    folder: Folder, photos: Photos
) -> None:
    (photo,) = photos(1)
    served = folder.serve("--threshold", "1")
    (shown,) = served.read()["photos"]
    served.decide(shown["id"], "cat")
    elsewhere = folder.path.parent / "elsewhere.png"
    (folder.path / "cats" / photo.name).rename(elsewhere)
    reply = served.undo()
    assert (reply["done"], reply["reason"]) == (False, "moved")
    assert elsewhere.is_file()


def test_what_cannot_be_taken_back_does_not_keep_what_came_before_from_it(
    folder: Folder, photos: Photos, tree: Tree
) -> None:
    photos(2)
    served = folder.serve("--threshold", "1")
    first, second = served.read()["photos"]
    served.decide(first["id"], "cat")
    served.decide(second["id"], "cat")
    (folder.path / "cats" / second["name"]).rename(folder.path.parent / "elsewhere.png")
    assert not served.undo()["done"]
    assert served.undo()["done"]
    assert list(tree(folder.path)) == [first["name"]]
    assert served.undo()["reason"] == "nothing"


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes as POSIX has them")
def test_names_of_any_bytes_are_filed_by_their_bytes(
    folder: Folder, photos: Photos, tree: Tree
) -> None:
    (photo,) = photos(1)
    names = [b"\xff\xfe.png", b"a\nb.png", b"<script>.png", b'it\'s "q".png']
    for name in names:
        shutil.copy(photo, folder.path / os.fsdecode(name))
    photo.unlink()
    served = folder.serve("--threshold", "1")
    for one in served.read()["photos"]:
        assert served.decide(one["id"], "cat")["done"]
    filed = [os.fsencode(path.name) for path in (folder.path / "cats").iterdir()]
    assert sorted(filed) == sorted(names)


def test_filed_photos_are_reviewed_where_they_are(
    folder: Folder, photos: Photos, tree: Tree
) -> None:
    first, second = photos(2)
    (folder.path / "cats").mkdir()
    for photo in (first, second):
        photo.rename(folder.path / "cats" / photo.name)
    served = folder.serve("--what", "filed")
    ids = {one["name"]: one["id"] for one in served.read()["photos"]}
    assert sorted(ids) == ["000.png", "001.png"]
    assert served.decide(ids["000.png"], "cat")["done"]  # confirmed where it is
    assert served.decide(ids["001.png"], "dog")["done"]
    assert sorted(tree(folder.path)) == ["cats/000.png", "dogs/001.png"]
    assert served.undo()["done"]
    assert sorted(tree(folder.path)) == ["cats/000.png", "cats/001.png"]


def test_duplicates_name_their_like(folder: Folder, photos: Photos) -> None:
    (photo, _) = photos(2)
    (folder.path / "cats").mkdir()
    shutil.copy(photo, folder.path / "cats" / "filed.png")
    served = folder.serve("--what", "duplicates")
    (shown,) = served.read()["photos"]
    assert shown["name"] == "000.png"
    assert shown["same_as"].endswith("cats/filed.png")
