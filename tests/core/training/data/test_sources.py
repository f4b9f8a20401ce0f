"""A sources.csv tells where photos come from and what they show, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageRefused
from core.training.data.inputs import TrainContext, gather
from core.training.data.labelled import LabelledPhoto, scan, scan_parts
from core.training.data.sources import Origin, read_sources
from core.training.data.train_options import TrainOptions


@pytest.fixture
def data(tmp_path: Path, fill_folder: Callable[..., Path]) -> Path:
    """Photos whose names look as if they told something."""
    folder = fill_folder(tmp_path / "data", {"cats": 3, "dogs": 3})
    for photo in list(folder.rglob("*.jpg")):
        photo.rename(photo.with_name(f"kaggle-wild-{photo.name}"))
    return folder


def origins(photos: tuple[LabelledPhoto, ...]) -> dict[str, tuple[str | None, str | None]]:
    """Give what is known of some photos, by the end of their names."""
    return {photo.path.stem[-8:]: (photo.source, photo.kind) for photo in photos}


def write(folder: Path, *lines: str) -> Path:
    file = folder / "sources.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_names_alone_tell_nothing(data: Path) -> None:
    assert set(origins(scan(data).photos).values()) == {(None, None)}


def test_what_the_table_says_of_each_photo(data: Path) -> None:
    """Empty cells and photos that it does not name are of no source, names of no photo nothing."""
    write(
        data,
        "file,source,kind",
        "cats/kaggle-wild-cats-000.jpg,web,tabby",
        "cats/kaggle-wild-cats-001.jpg,olx,",
        "dogs/kaggle-wild-dogs-000.jpg,,husky",
        "dogs/gone.jpg,web,",
    )
    found = scan(data)
    assert origins(found.photos) == {
        "cats-000": ("web", "tabby"),
        "cats-001": ("olx", None),
        "cats-002": (None, None),
        "dogs-000": (None, "husky"),
        "dogs-001": (None, None),
        "dogs-002": (None, None),
    }
    assert found.not_photos == 0


def test_a_photo_deeper_in_its_class_is_named_by_its_path(data: Path) -> None:
    (data / "cats" / "2024").mkdir()
    photo = data / "cats" / "kaggle-wild-cats-000.jpg"
    photo.rename(data / "cats" / "2024" / photo.name)
    write(data, "file,source", "cats/2024/kaggle-wild-cats-000.jpg,phone")
    assert origins(scan(data).photos)["cats-000"] == ("phone", None)


def test_columns_come_in_any_order_and_others_are_left_alone(tmp_path: Path) -> None:
    """As spreadsheets write them: a mark of the encoding, quotes, other ends of lines."""
    file = tmp_path / "table.csv"
    file.write_bytes(
        "\ufeffkind,note,source,file\r\n"
        '"Main Coon",sweet,"home, mine",cats/über.jpg\r\n'
        ",,phone,cats/b.jpg\r\n".encode()
    )
    assert read_sources(file) == {
        "cats/über.jpg": Origin("home, mine", "Main Coon"),
        "cats/b.jpg": Origin("phone", None),
    }


def test_each_part_has_its_own_table(
    data: Path, tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    data.rename(whole / "train")
    fill_folder(whole / "validation", {"cats": 1, "dogs": 1}, 7)
    write(whole / "train", "file,source", "cats/kaggle-wild-cats-000.jpg,web")
    write(whole / "validation", "file,source", "cats/cats-007.jpg,olx")
    labelled, _ = scan_parts(whole)
    found = origins(labelled.photos)
    assert (found["cats-000"], found["cats-007"]) == (("web", None), ("olx", None))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "must have the columns file and source"),
        (b"cats/a.jpg,web\n", "must have the columns file and source"),
        (b"file,kind\ncats/a.jpg,tabby\n", "must have the columns file and source"),
        (b"file;source\ncats/a.jpg;web\n", "must have the columns file and source"),
        (b"file,source\ncats/\xff.jpg,web\n", "cannot be read as a table"),
    ],
)
def test_what_is_no_such_table_is_refused(data: Path, content: bytes, why: str) -> None:
    """Or photos would silently be of no source."""
    (data / "sources.csv").write_bytes(content)
    with pytest.raises(UsageRefused, match=why):
        scan(data)


def test_a_source_of_no_photo_cannot_be_held_out(data: Path, console: Any) -> None:
    """A slip of the pen would else have all of them learnt from."""
    write(data, "file,source", "cats/kaggle-wild-cats-000.jpg,web")
    context = TrainContext(data, console)
    assert gather(TrainOptions(data, held_out_sources=("web",)), context).labelled.photos
    for missing in ("kaggle", "wep"):
        with pytest.raises(UsageRefused, match=f"source '{missing}'.*--set hold_out"):
            gather(TrainOptions(data, held_out_sources=("web", missing)), context)
