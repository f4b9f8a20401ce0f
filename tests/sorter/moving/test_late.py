"""A sidecar that arrives after its photo has left follows it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.store import Store
from sorter.moving import late

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def sort_again(tmp_path: Path, draw: Callable[..., Any], tiny_model: Path) -> Callable[[], Result]:
    """Two photos of one name in cats/: the second one is tom (1).jpg."""
    for seed in (300, 301):
        draw("cats", seed).save(tmp_path / "tom.jpg")
        run("sort", tmp_path, "--model", tiny_model)
    assert (tmp_path / "cats" / "tom (1).jpg").exists()
    return lambda: run("sort", tmp_path, "--model", tiny_model)


def test_notes_go_to_the_newest_photo_of_their_name_and_are_named_like_it(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[[], Result]
) -> None:
    put(tmp_path / "tom.xmp", b"1")
    put(tmp_path / "TOM.JPG.json", b"2")
    result = sort_again()
    assert "tom.xmp -> cats/tom (1).xmp: with its photo" in result.stdout
    assert "2 moved to cats/ with their photos" in result.stdout
    files = tree(tmp_path)
    assert (files["cats/tom (1).xmp"], files["cats/tom (1).JPG.json"]) == (b"1", b"2")
    run("undo", "2")
    assert set(tree(tmp_path)) == {"cats/tom.jpg", "tom.jpg", "tom.xmp", "TOM.JPG.json"}


def test_a_raw_or_a_film_follows_only_if_it_is_of_the_same_shot(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[[], Result]
) -> None:
    """Cameras count from 0001 again: the same name a year later is another shot."""
    put(tmp_path / "tom.mov", b"a film of years ago")
    taken = (tmp_path / "cats" / "tom (1).jpg").stat().st_mtime
    put(tmp_path / "tom.CR2", b"raw")
    os.utime(tmp_path / "tom.CR2", (taken, taken + 2))
    put(tmp_path / "tom.CR2.xmp", b"about the raw")
    sort_again()
    files = set(tree(tmp_path))
    assert {"tom.mov", "cats/tom (1).CR2", "cats/tom (1).CR2.xmp"} <= files


def test_it_takes_that_name_or_stays(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[[], Result]
) -> None:
    put(tmp_path / "cats" / "tom (1).xmp", b"others' notes")
    put(tmp_path / "tom.xmp", b"notes")
    result = sort_again()
    assert "tom.xmp: left, cats/tom (1).xmp is another file" in result.stdout
    put(tmp_path / "tom.xmp", b"others' notes")
    assert "tom.xmp: left, the same file is already cats/tom (1).xmp" in sort_again().stdout
    assert tree(tmp_path)["tom.xmp"] == b"others' notes"


def test_without_a_photo_that_still_stands_it_stays(
    tmp_path: Path, put: Put, sort_again: Callable[[], Result]
) -> None:
    (tmp_path / "cats" / "tom.jpg").unlink()
    (tmp_path / "cats" / "tom (1).jpg").write_bytes(b"edited since")
    put(tmp_path / "tom.xmp", b"notes")
    put(tmp_path / "rex.xmp", b"of a photo that never was here")
    result = sort_again()
    assert "2 not a photo, left alone" in result.stdout


def test_a_dry_run_only_says_so(
    tmp_path: Path, put: Put, tree: Tree, tiny_model: Path, sort_again: Callable[[], Result]
) -> None:
    put(tmp_path / "tom.xmp", b"notes")
    before = tree(tmp_path)
    result = run("sort", tmp_path, "--model", tiny_model, "--dry-run")
    assert "1 would be moved to cats/ with their photos" in result.stdout
    assert tree(tmp_path) == before
    sort_again()
    assert tree(tmp_path) != before


def test_notes_that_come_before_their_photo_do_not_go_to_an_older_one(
    tmp_path: Path, put: Put, store: Store, sort_again: Callable[[], Result]
) -> None:
    """Cameras count from 0001 again: the photo of these notes is on its way."""
    with store.writing() as db:
        db.execute("UPDATE moves SET at = at - 90000")
    put(tmp_path / "tom.aae", b"of a tom to come")
    sort_again()
    assert (tmp_path / "tom.aae").exists()
    late.PATIENCE, patience = 0.0, late.PATIENCE
    try:
        sort_again()  # none has come for long: they are the older one's
    finally:
        late.PATIENCE = patience
    assert (tmp_path / "cats" / "tom (1).aae").exists()
