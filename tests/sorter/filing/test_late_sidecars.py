"""A sidecar that arrives after its photo has left follows it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from catdog import main
from sorter.filing import late_sidecars

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """None has come for long."""
    monkeypatch.setattr(late_sidecars, "PATIENCE_SECONDS", 0.0)


@pytest.fixture
def sort_again(tmp_path: Path, draw: Callable[..., Any], tiny_model: Path) -> Callable[..., Result]:
    """A photo that was filed, under a number since another has its name."""
    put_photo(tmp_path / "cats" / "tom.jpg", draw("cats", 299))
    put_photo(tmp_path / "tom.jpg", draw("cats", 300))
    run("sort", tmp_path, "--model", tiny_model)
    assert (tmp_path / "cats" / "tom (1).jpg").exists()
    return lambda *options: run("sort", tmp_path, "--model", tiny_model, *options)


def put_photo(path: Path, image: Any, taken: str | None = None) -> None:
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    image.save(path, exif=exif)


@pytest.mark.usefixtures("patience_is_over")
def test_notes_go_to_the_photo_of_their_name_and_are_named_like_it(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[..., Result]
) -> None:
    put(tmp_path / "tom.xmp", b"1")
    put(tmp_path / "TOM.JPG.json", b"2")
    result = sort_again()
    assert "tom.xmp -> cats/tom (1).xmp: with its photo" in result.stdout
    assert "2 moved to cats/ with their photos" in result.stdout
    files = tree(tmp_path)
    assert (files["cats/tom (1).xmp"], files["cats/tom (1).JPG.json"]) == (b"1", b"2")
    run("undo", "1")
    assert set(tree(tmp_path)) == {"cats/tom.jpg", "tom.jpg", "tom.xmp", "TOM.JPG.json"}


def test_notes_that_come_before_their_photo_do_not_go_to_anothers(
    tmp_path: Path,
    put: Put,
    tree: Tree,
    draw: Callable[..., Any],
    sort_again: Callable[..., Result],
) -> None:
    """Two phones have photos of one name, minutes apart."""
    for name in ("tom.aae", "tom.MOV", "tom.jpg.supplemental-meta.json"):
        put(tmp_path / name, name.encode())
        os.utime(tmp_path / name)
    result = sort_again()
    assert "tom.MOV: left, it may belong to a photo that is yet to come" in result.stdout
    assert {"tom.aae", "tom.MOV", "tom.jpg.supplemental-meta.json"} <= set(tree(tmp_path))
    put_photo(tmp_path / "tom.jpg", draw("cats", 301))
    sort_again()
    assert {"tom (2).jpg", "tom (2).aae", "tom (2).MOV", "tom (2).jpg.supplemental-meta.json"} <= {
        path.name for path in (tmp_path / "cats").iterdir()
    }


@pytest.mark.usefixtures("patience_is_over")
def test_with_two_photos_of_its_name_a_note_stays_until_it_says_whose_it_is(
    tmp_path: Path,
    put: Put,
    tree: Tree,
    draw: Callable[..., Any],
    sort_again: Callable[..., Result],
) -> None:
    for seed, taken in ((301, "2019:07:04 12:30:00"), (302, "2020:01:02 03:04:05")):
        put_photo(tmp_path / "tom.jpg", draw("cats", seed), taken)
        sort_again()
    put(tmp_path / "tom.aae", b"whose?")
    put(tmp_path / "tom.xmp", b'<xmp exif:DateTimeOriginal="2020-01-02T03:04:05+01:00"/>')
    # two hours behind the camera's clock: of a time zone east of Greenwich
    put(
        tmp_path / "tom.jpg.json",
        b'{"title": "tom.jpg", "photoTakenTime": {"timestamp": "1562236200"}}',
    )
    sort_again()
    files = set(tree(tmp_path))
    assert {"tom.aae", "cats/tom (3).xmp", "cats/tom (2).jpg.json"} <= files


@pytest.mark.usefixtures("patience_is_over")
def test_a_raw_or_a_film_follows_only_if_it_is_of_the_same_shot(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[..., Result]
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


@pytest.mark.usefixtures("patience_is_over")
def test_it_takes_that_name_or_stays(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[..., Result]
) -> None:
    put(tmp_path / "cats" / "tom (1).xmp", b"others' notes")
    put(tmp_path / "tom.xmp", b"notes")
    result = sort_again()
    assert "tom.xmp: left, cats/tom (1).xmp is another file" in result.stdout
    put(tmp_path / "tom.xmp", b"others' notes")
    assert "tom.xmp: left, the same file is already cats/tom (1).xmp" in sort_again().stdout
    assert tree(tmp_path)["tom.xmp"] == b"others' notes"


@pytest.mark.usefixtures("patience_is_over")
def test_notes_follow_a_photo_that_was_touched(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[..., Result]
) -> None:
    """As a card does with FAT, which cuts times when it is mounted anew."""
    os.utime(tmp_path / "cats" / "tom (1).jpg", (1_700_000_000, 1_700_000_000))
    put(tmp_path / "tom.xmp", b"notes")
    sort_again()
    assert tree(tmp_path)["cats/tom (1).xmp"] == b"notes"


def test_without_a_photo_that_still_stands_it_stays(
    tmp_path: Path, put: Put, sort_again: Callable[..., Result]
) -> None:
    (tmp_path / "cats" / "tom (1).jpg").write_bytes(b"edited since")
    put(tmp_path / "tom.xmp", b"notes")
    put(tmp_path / "rex.xmp", b"of a photo that never was here")
    result = sort_again()
    assert "2 not a photo, left alone" in result.stdout


@pytest.mark.usefixtures("patience_is_over")
def test_a_dry_run_only_says_so(
    tmp_path: Path, put: Put, tree: Tree, sort_again: Callable[..., Result]
) -> None:
    put(tmp_path / "tom.xmp", b"notes")
    before = tree(tmp_path)
    result = sort_again("--dry-run")
    assert "1 would be moved to cats/ with their photos" in result.stdout
    assert tree(tmp_path) == before
    sort_again()
    assert tree(tmp_path) != before


def test_what_comes_late_beside_a_copied_photo_is_copied_once(
    tmp_path: Path, put: Put, tree: Tree, draw: Callable[..., Any], tiny_model: Path
) -> None:
    """And no message asks for an original to be deleted."""
    inbox, into = tmp_path / "inbox", tmp_path / "sorted"
    put_photo(inbox / "tom.jpg", draw("cats", 300))
    copying = ("sort", inbox, "--into", into, "--copy", "--model", tiny_model)
    run(*copying)
    put(inbox / "tom.xmp", b"notes")
    put(inbox / "tom.mov", b"film")
    result = run(*copying)
    assert "tom.xmp -> " in result.stdout
    assert "delete" not in result.stdout
    assert {"cats/tom.jpg", "cats/tom.xmp", "cats/tom.mov"} == set(tree(into))
    assert {"tom.jpg", "tom.xmp", "tom.mov"} == set(tree(inbox))
    again = run(*copying)
    assert "tom.xmp -> " not in again.stdout
    assert "delete" not in run("sort", inbox, "--into", into, "--model", tiny_model).stdout
    assert set(tree(inbox)) == {"tom.jpg", "tom.xmp", "tom.mov"}
