"""A table holds each photo once, whatever happened before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.archive.archive_run import Outcome
from core.archive.classify import Looking
from core.archive.known import Again, TableBroken
from core.archive.table import Table
from core.images.decode import opener
from core.model.verdict import judge

Photos = Callable[..., Path]
Over = Callable[..., Outcome]
Rows = Callable[..., list[dict[str, Any]]]


def test_each_photo_is_a_row_with_what_the_model_says_of_it(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder = photos(25)
    outcome = over([folder], tmp_path / "table", looking)
    found = rows(tmp_path / "table")
    assert [row["path"] for row in found] == sorted(map(str, folder.iterdir()))
    assert (outcome.done, outcome.parts, outcome.errors) == (25, 3, {})
    for row in found:
        path = Path(row["path"])
        prediction = looking.classifier.classify(opener(path))
        verdict = judge(prediction, looking.classifier.manifest.classes)
        assert (row["label"], row["confidence"]) == (prediction.label, prediction.confidence)
        assert dict(row["probabilities"]) == prediction.probabilities
        assert row["verdict"] == verdict.kind
        assert (row["width"], row["height"]) == (80, 60)
        assert row["size"] == path.stat().st_size
        assert row["mtime_ns"] == path.stat().st_mtime_ns
        assert row["model_version"] == looking.classifier.manifest.version


def test_a_second_run_classifies_only_what_is_new(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    table = tmp_path / "table"
    over([photos(12)], table, looking)
    parts = {name: (table / name).stat().st_mtime_ns for name in Table(str(table)).parts()}
    outcome = over([photos(5, first=100)], table, looking)
    assert (outcome.done, outcome.tally.done_before) == (5, 12)
    assert len(rows(table)) == 17
    assert {name: (table / name).stat().st_mtime_ns for name in parts} == parts


def test_a_photo_that_comes_first_does_not_move_the_others_between_parts(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    table = tmp_path / "table"
    over([photos(30, first=10)], table, looking)
    before = set(Table(str(table)).parts())
    assert over([photos(1, first=0)], table, looking).done == 1
    assert before < set(Table(str(table)).parts())
    assert len(rows(table)) == 31


def test_what_changed_is_done_again_in_its_part(
    photos: Photos, over: Over, rows: Rows, looking: Looking, draw: Any, tmp_path: Path
) -> None:
    table, folder = tmp_path / "table", photos(20)
    over([folder], table, looking)
    before, parts = rows(table), Table(str(table)).parts()
    draw("dogs", 999, (40, 30)).save(folder / "00003.jpg")
    touched = folder / "00013.jpg"
    os.utime(touched, ns=(1, 1))
    outcome = over([folder], table, looking)
    assert (outcome.done, outcome.tally.changed, outcome.tally.done_before) == (2, 2, 18)
    after = rows(table)
    assert Table(str(table)).parts() == parts
    assert [row["path"] for row in after] == [row["path"] for row in before]
    assert (after[3]["width"], after[13]["mtime_ns"]) == (40, 1)
    assert [row for place, row in enumerate(after) if place not in (3, 13)] == [
        row for place, row in enumerate(before) if place not in (3, 13)
    ]


def test_a_photo_that_is_named_twice_stands_in_the_table_once(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder = photos(15)
    outcome = over([folder, folder / "00001.jpg", f"{folder}/*2.jpg"], tmp_path / "t", looking)
    assert (outcome.done, outcome.tally.repeated) == (15, 3)
    assert len(rows(tmp_path / "t")) == 15


def test_bad_pictures_are_rows_with_their_code_and_are_done_again_when_asked(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder, table = photos(6), tmp_path / "table"
    whole = (folder / "00001.jpg").read_bytes()
    (folder / "00001.jpg").write_bytes(whole[:-200])
    (folder / "00002.jpg").write_bytes(b"")
    (folder / "00003.jpg").write_bytes(b"<html>not found</html>")
    outcome = over([folder], table, looking)
    assert outcome.errors == {"truncated": 1, "empty": 1, "not-an-image": 1}
    found = rows(table)
    assert [row["error"] for row in found[1:4]] == ["truncated", "empty", "not-an-image"]
    assert all(row["verdict"] is row["label"] is row["confidence"] is None for row in found[1:4])
    assert over([folder], table, looking).done == 0
    status = (folder / "00001.jpg").stat()
    (folder / "00001.jpg").write_bytes(whole[: status.st_size - 1] + b"\xd9")
    os.utime(folder / "00001.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert over([folder], table, looking, again=Again(errors=True)).done == 3


def test_another_model_answers_again_only_when_asked(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder, table = photos(5), tmp_path / "table"
    over([folder], table, looking)
    assert over([folder], table, looking, again=Again(model="another")).done == 5
    version = looking.classifier.manifest.version
    assert over([folder], table, looking, again=Again(model=version)).done == 0


def test_names_that_are_no_utf8_are_kept_exactly(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder, table = photos(1), tmp_path / "table"
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg"))
    (folder / "00000.jpg").rename(odd)
    (folder / "caf%E9.jpg").write_bytes(odd.read_bytes())
    over([folder], table, looking)
    found = rows(table)
    assert {row["path"] for row in found} == {f"{folder}/caf%E9.jpg"}
    assert {row["path_bytes"] for row in found} == {None, os.fsencode(odd)}
    assert over([folder], table, looking).tally.done_before == 2


def test_a_part_that_was_deleted_is_made_again(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder, table = photos(30), tmp_path / "table"
    over([folder], table, looking)
    before, parts = rows(table), Table(str(table)).parts()
    (table / parts[1]).unlink()
    assert over([folder], table, looking).done == 10
    assert (rows(table), Table(str(table)).parts()) == (before, parts)


def test_two_parts_with_the_same_photo_are_found(
    photos: Photos, over: Over, looking: Looking, tmp_path: Path
) -> None:
    folder, table = photos(3), tmp_path / "table"
    over([folder], table, looking)
    over([folder / "00001.jpg"], tmp_path / "other", looking)
    (part,) = (tmp_path / "other").glob("*.parquet")
    part.rename(table / part.name)
    with pytest.raises(TableBroken, match="holds 1 photos twice"):
        over([folder], table, looking)


def test_embeddings_are_written_when_asked(
    photos: Photos, over: Over, rows: Rows, looking: Looking, tmp_path: Path
) -> None:
    folder, asked = photos(4), Looking(looking.classifier, embeddings=True)
    over([folder], tmp_path / "with", asked)
    over([folder], tmp_path / "without", looking)
    found = rows(tmp_path / "with")
    channels = len(found[0]["embedding"])
    assert channels > 1
    assert all(len(row["embedding"]) == channels for row in found)
    for row in found:
        del row["embedding"]
    assert found == rows(tmp_path / "without")
