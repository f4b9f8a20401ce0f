"""Labelled folders: what is found, skipped, split, refused."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import UsageRefused
from core.images.decode import open_image
from core.model.preprocessing import Preprocessing, squash, stored
from core.training.data.dataset import HELD_OUT, is_held_out, load
from core.training.data.labelled import scan, scan_parts

HOW = Preprocessing(16, stored_size=18)


@pytest.fixture
def data(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60})


def content_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_photo_is_decoded_and_in_one_part(data: Path, tmp_path: Path) -> None:
    dataset = load(scan(data), Preprocessing(16, 24), work=tmp_path)
    assert dataset.pixels.shape == (120, 24, 24, 3)
    assert sorted([*dataset.training, *dataset.validation]) == list(range(120))
    assert dataset.count(dataset.training)["cat"] + dataset.count(dataset.validation)["cat"] == 60
    assert dataset.faults == ()
    for row in (0, 77):
        expected = squash(open_image(dataset.photos[row].path, min_side=24), 24)
        assert (dataset.pixels[row] == np.asarray(expected)).all()


def test_a_photos_part_follows_from_its_content_alone(data: Path, tmp_path: Path) -> None:
    before = load(scan(data), HOW, work=tmp_path)
    held_out = {before.photos[row].path.read_bytes() for row in before.validation}
    for number, path in enumerate(sorted((data / "cats").iterdir())):
        path.rename(path.with_name(f"renamed-{99 - number}.jpg"))
    for path in sorted((data / "dogs").iterdir())[:10]:
        if not is_held_out(hashlib.sha256(path.read_bytes()).digest()):
            path.unlink()
    after = load(scan(data), HOW, work=tmp_path)
    assert {after.photos[row].path.read_bytes() for row in after.validation} == held_out


def test_photos_are_no_sharper_than_they_are_served(data: Path, tmp_path: Path) -> None:
    """Or what is learnt from would not look like what is asked about."""
    how = Preprocessing(16, stored_size=24, shorter_side=20)
    dataset = load(scan(data), how, work=tmp_path)
    for row in (0, 77):
        image = open_image(dataset.photos[row].path, min_side=how.decoded_side)
        assert (dataset.pixels[row] == np.asarray(stored(image, how))).all()
        assert (dataset.pixels[row] != np.asarray(squash(image, 24))).any()


def test_held_out_sources_are_in_no_other_part(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "data", {"cats": 40, "dogs": 40})
    names = [path.name for path in sorted((data / "cats").iterdir())[:8]]
    (data / "sources.csv").write_text(
        "file,source\n" + "".join(f"cats/{name},olx\n" for name in names)
    )
    dataset = load(scan(data), HOW, work=tmp_path, held_out_sources=["olx"])
    assert [dataset.photos[row].path.name for row in sorted(dataset.of_held_out_sources)] == names
    parts = [*dataset.training, *dataset.validation, *dataset.of_held_out_sources]
    assert sorted(parts) == list(range(80))
    assert dataset.count(dataset.of_held_out_sources) == {"cat": 8, "dog": 0}


def test_where_nothing_is_to_be_held_out_all_is_learnt_from(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """Not one photo of a class need be held out then: the few are judged out of fold."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 2})
    dataset = load(scan(data), HOW, work=tmp_path, holds_out=False)
    assert sorted(dataset.training) == list(range(32))
    assert len(dataset.validation) == 0


def test_parts_are_taken_as_they_are_given(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = tmp_path / "data"
    fill_folder(data / "train", {"cats": 30, "dogs": 30})
    fill_folder(data / "validation", {"cats": 5, "dogs": 5}, 25)
    fill_folder(data / "test", {"cats": 3, "dogs": 3}, 90)
    labelled, test = scan_parts(data)
    assert test == data / "test"
    dataset = load(labelled, HOW, work=tmp_path)
    held_out = {dataset.photos[row].path for row in dataset.validation}
    assert held_out == set((data / "validation").rglob("*.jpg"))
    assert len(dataset.training) == 50, "ten photos are copies of those held out"
    assert len(dataset.faults) == 10
    (data / "validation" / "dogs").rename(data / "validation" / "wolves")
    with pytest.raises(UsageRefused, match="must hold the classes of"):
        scan_parts(data)
    shutil.rmtree(data / "validation")
    labelled, _ = scan_parts(data)
    dataset = load(labelled, HOW, work=tmp_path)
    assert 0 < len(dataset.validation) < 15
    assert scan_parts(data / "train") == (scan(data / "train"), None)


def test_about_one_in_ten_is_held_out() -> None:
    parts = [is_held_out(hashlib.sha256(str(n).encode()).digest()) for n in range(10_000)]
    assert np.mean(parts) == pytest.approx(HELD_OUT, abs=0.01)


def test_bad_files_are_named_and_skipped_and_nothing_is_touched(data: Path, tmp_path: Path) -> None:
    (data / "cats" / "empty.jpg").write_bytes(b"")
    (data / "cats" / "cut.jpg").write_bytes(next((data / "cats").glob("*5.jpg")).read_bytes()[:300])
    (data / "dogs" / "text.png").write_text("a dog, honestly")
    (data / "dogs" / "notes.txt").write_text("not even meant to be a photo")
    before = content_of(data)
    labelled = scan(data)
    dataset = load(labelled, HOW, work=tmp_path)
    assert labelled.not_photos == 1
    assert {fault.path.name for fault in dataset.faults} == {"empty.jpg", "cut.jpg", "text.png"}
    assert len(dataset.training) + len(dataset.validation) == 120
    assert content_of(data) == before


def test_a_copy_counts_once_and_a_contradiction_not_at_all(data: Path, tmp_path: Path) -> None:
    cats = sorted((data / "cats").iterdir())
    shutil.copy(cats[0], data / "cats" / "z copy.jpg")
    shutil.copy(cats[1], data / "dogs" / "z same.jpg")
    dataset = load(scan(data), HOW, work=tmp_path)
    reasons = {fault.path.name: fault.reason for fault in dataset.faults}
    assert "same photo" in reasons["z copy.jpg"]
    assert "neither is used" in reasons["z same.jpg"]
    assert "neither is used" in reasons[cats[1].name]
    assert len(reasons) == 3
    used = {dataset.photos[row].path for row in [*dataset.training, *dataset.validation]}
    assert cats[0] in used
    assert cats[1] not in used


def test_the_fingerprint_follows_the_photos_not_their_names(data: Path, tmp_path: Path) -> None:
    first = load(scan(data), HOW, work=tmp_path).fingerprint
    photo = next((data / "cats").iterdir())
    photo.rename(photo.with_name("another name.jpg"))
    assert load(scan(data), HOW, work=tmp_path).fingerprint == first
    (data / "cats" / "another name.jpg").rename(data / "dogs" / "another name.jpg")
    assert load(scan(data), HOW, work=tmp_path).fingerprint != first


def test_folders_that_cannot_be_learnt_from_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="not a folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UsageRefused, match="two class folders"):
        scan(data / "cats")
    (data / "birds").mkdir()
    with pytest.raises(UsageRefused, match="birds holds no photos"):
        scan(data)
    (data / "birds").rename(data / "train")
    with pytest.raises(UsageRefused, match="train instead"):
        scan(data)


@pytest.mark.parametrize(
    ("folder", "why"), [("cat", "more than one folder"), ("unsure", "set apart")]
)
def test_folders_that_mean_the_same_or_no_class_are_refused(
    data: Path, folder: str, why: str
) -> None:
    shutil.copytree(data / "cats", data / folder)
    with pytest.raises(UsageRefused, match=why):
        scan(data)


def test_a_class_with_too_few_photos_is_refused(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    data = fill_folder(tmp_path / "few", {"cats": 60, "dogs": 1})
    with pytest.raises(UsageRefused, match="no photo of the class 'dog'"):
        load(scan(data), HOW, work=tmp_path)
    (data / "dogs" / "dogs-000.jpg").write_bytes(b"")
    for photo in (data / "cats").iterdir():
        photo.write_bytes(b"x")
    with pytest.raises(UsageRefused, match="Not one photo"):
        load(scan(data), HOW, work=tmp_path)
