"""sort --from files by a table, without a look, what is still the photo that the table saw."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catdog import main
from core.model.classifier import Classifier

TINY_HEAD = Path(__file__).resolve().parents[2] / "models" / "tiny"


@pytest.fixture(autouse=True)
def _extra(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="the extra `archive` is not installed")
    monkeypatch.setenv("CATDOG_MODEL", str(TINY_HEAD))


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    """Photos, one with its note, and one that is cut."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(30):
        draw(("cats", "dogs", "other")[number % 3], number).save(folder / f"{number:02}.jpg")
    (folder / "00.jpg.xmp").write_text("<x:xmpmeta/>")
    (folder / "05.jpg").write_bytes((folder / "05.jpg").read_bytes()[:-300])
    os.utime(folder / "05.jpg", (1, 1))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def outcomes(result: Result) -> dict[str, Any]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {Path(one.pop("path")).name: one for one in found}


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_it_moves_what_a_look_would_move_without_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    run("archive", folder, "--to", tmp_path / "table")
    by_looking = outcomes(run("sort", copy, "--json", "--others", "move"))

    def looks(*_: object) -> None:
        raise AssertionError("it was to go by the table")

    monkeypatch.setattr(Classifier, "classify", looks)
    result = run("sort", folder, "--from", tmp_path / "table", "--json", "--others", "move")
    assert result.exit_code == 1  # of the photo that is cut
    assert tree(folder) == tree(copy)
    assert "cats/00.jpg.xmp" in tree(folder)
    for name, one in outcomes(result).items():
        for what in ("outcome", "reason", "label", "confidence"):
            assert one[what] == by_looking[name][what], name
    assert run("undo").exit_code == 0
    assert all((folder / f"{number:02}.jpg").exists() for number in range(30))


def test_photos_that_changed_or_came_since_are_left(
    folder: Path, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    run("archive", folder, "--to", tmp_path / "table")
    draw("dogs", 77, (90, 60)).save(folder / "00.jpg")  # it was a cat
    draw("dogs", 78).save(folder / "new.jpg")
    result = outcomes(run("sort", folder, "--from", tmp_path / "table", "--json"))
    for name in ("00.jpg", "new.jpg"):
        assert (result[name]["outcome"], result[name]["reason"]) == ("left", "not-in-table")
        assert (folder / name).exists()
    assert result["03.jpg"]["outcome"] == "moved"


def test_the_table_may_come_from_where_the_folder_had_another_path(
    folder: Path, tmp_path: Path
) -> None:
    run("archive", folder, "--to", tmp_path / "table")
    here = folder.rename(tmp_path / "here")
    refused = run("sort", here, "--from", tmp_path / "table")
    assert refused.exit_code == 2
    assert "--seen-at" in refused.output
    given = run("sort", here, "--from", tmp_path / "table", "--seen-at", tmp_path / "photos")
    assert given.exit_code == 1
    assert (here / "cats" / "00.jpg").exists()


def test_a_folder_behind_a_link_is_found_in_the_table(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    run("archive", link, "--to", tmp_path / "table")
    assert run("sort", link, "--from", tmp_path / "table").exit_code == 1
    assert (folder / "cats" / "00.jpg").exists()


def test_another_models_table_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("archive", folder, "--to", tmp_path / "table")
    monkeypatch.setenv("CATDOG_MODEL", "default")
    result = run("sort", folder, "--from", tmp_path / "table")
    assert result.exit_code == 2
    assert "was made by the model" in result.output
    assert len(tree(folder)) == 31
