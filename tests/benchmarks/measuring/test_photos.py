"""The photos that are measured with are like a camera's and a messenger's."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from benchmarks.measuring import photos
from core.images.decode import open_image
from core.training.data.labelled import scan


@pytest.fixture
def source(tmp_path: Path, draw: Callable[..., Any]) -> Path:
    """A photo, its left half darker, so that turning it shows."""
    image = draw("cats", 1, (320, 240))
    image.paste(draw("dogs", 1, (160, 240)).point(lambda value: value // 2), (0, 0))
    image.save(tmp_path / "source.png")
    return tmp_path / "source.png"


@pytest.mark.long
@pytest.mark.parametrize(("seed", "orientation"), [(0, 1), (2, 6)])
def test_a_camera_s_photo_is_large_and_turned_by_its_exif(
    source: Path, seed: int, orientation: int
) -> None:
    content = photos.camera_photo(source, seed)
    assert 2_500_000 < len(content) < 6_000_000
    image = Image.open(io.BytesIO(content))
    exif = image.getexif()
    assert (image.size, exif[ExifTags.Base.Orientation]) == ((4000, 3000), orientation)
    upright = open_image(content, min_side=162)
    expected = ImageOps.fit(open_image(source, min_side=162), upright.size)
    difference = np.asarray(upright.resize((16, 16)), int) - np.asarray(expected.resize((16, 16)))
    assert np.abs(difference).mean() < 3


def test_photos_of_a_camera_differ_and_are_made_again_alike(source: Path, tmp_path: Path) -> None:
    made = photos.camera_photos([source], 2, tmp_path / "made")
    assert [path.name for path in made] == ["IMG_00000.jpg", "IMG_00001.jpg"]
    assert made[0].read_bytes() != made[1].read_bytes()
    assert made[1].read_bytes() == photos.camera_photo(source, 1)


def test_small_photos_are_copied_until_there_are_enough(
    fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    found = photos.find_photos(fill_folder(tmp_path / "data", {"cats": 2}), tmp_path / "none")
    copied = photos.small_photos(found, 5, tmp_path / "copied")
    contents = [path.read_bytes() for path in found]
    assert [path.read_bytes() for path in copied] == [*contents, *contents, contents[0]]


def test_the_first_photos_are_of_all_kinds(
    fill_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = fill_folder(tmp_path / "data", {"cats": 20, "dogs": 20, "other": 20})
    found = photos.find_photos(folder, tmp_path / "none")
    assert len(found) == 60
    assert {path.parent.name for path in found[:15]} == {"cats", "dogs", "other"}
    assert photos.find_photos(folder, tmp_path / "none") == found


def test_the_project_s_photos_are_unpacked_with_their_sources(
    tmp_path: Path, fill_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they lie: archives of parts, one table of all that train, and one of the others."""
    shared = tmp_path / "shared"
    shared.mkdir()
    drawn = fill_folder(tmp_path / "drawn", {"cats": 2, "dogs": 2})
    for part, archive in (("train", "train-cats-1"), ("test", "test")):
        with zipfile.ZipFile(shared / f"{archive}.zip", "w") as made:
            for photo in drawn.rglob("*.jpg"):
                made.write(photo, Path(part) / photo.relative_to(drawn))
    (shared / "train-kinds.csv").write_text("file,source,kind\ncats/cats-000.jpg,kaggle,tabby\n")
    (shared / "test-kinds.csv").write_text(
        "file,source,kind\ntest/dogs/dogs-001.jpg,phone,\nfresh/dogs/dogs-001.jpg,web,\n"
    )
    monkeypatch.setattr(photos, "SHARED", shared)
    for part, name, known in (
        ("train-cats", "cats-000.jpg", ("kaggle", "tabby")),
        ("test", "dogs-001.jpg", ("phone", None)),
    ):
        found = scan(photos.unpack(part, into=tmp_path / "into")).photos
        sources = {photo.path.name: (photo.source, photo.kind) for photo in found}
        assert sources.pop(name) == known
        assert set(sources.values()) == {(None, None)}


def test_a_messenger_s_photos_have_a_long_side(source: Path) -> None:
    (content,) = photos.jpegs_of([source], 640)
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size) == ("JPEG", (640, 480))


def test_without_photos_it_says_what_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(photos.NoPhotos, match=r"no photos in .*--photos"):
        photos.find_photos(tmp_path, tmp_path / "unpacked")
    monkeypatch.setattr(photos, "SHARED", tmp_path)
    with pytest.raises(photos.NoPhotos, match="--photos a folder"):
        photos.find_photos(None, tmp_path / "unpacked")
