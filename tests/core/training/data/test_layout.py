"""Labelled photos as people have them laid out."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.errors import UsageRefused
from core.paths import display
from core.training.data.archives import unpacked
from core.training.data.inputs import TrainContext, gather
from core.training.data.labelled import LabelledFolder, scan, scan_parts
from core.training.data.layout import Part, part_of
from core.training.data.train_options import TrainOptions

Fill = Callable[..., Path]


@pytest.fixture
def data(tmp_path: Path, fill_folder: Fill) -> Path:
    return fill_folder(tmp_path / "data", {"cats": 6, "dogs": 5})


def counts(labelled: LabelledFolder) -> dict[str, int]:
    labels = [photo.label for photo in labelled.photos]
    return {label: labels.count(label) for label in sorted(labelled.labels)}


def flat(source: Path, into: Path, name: str = "{kind}.{number}.jpg") -> Path:
    """Lay photos out in one folder, their classes in their names."""
    into.mkdir(parents=True, exist_ok=True)
    for folder in source.iterdir():
        for number, photo in enumerate(sorted(folder.iterdir())):
            kind = folder.name.removesuffix("s")
            shutil.copy(photo, into / name.format(kind=kind, number=number))
    return into


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *((name, Part.TRAIN) for name in ("train", "Training", "training_set", "TRAIN-DATA")),
        *((name, Part.VALIDATION) for name in ("val", "valid", "Validation", "validation set")),
        *((name, Part.TEST) for name in ("test", "testing", "test_set", "test1", "TestImages")),
        *((name, None) for name in ("cats", "tom", "set", "trained-dogs", "valerie", "contest")),
    ],
)
def test_parts_are_known_by_the_names_that_people_give_them(name: str, part: Part | None) -> None:
    assert part_of(name) is part


@pytest.mark.parametrize(
    "names",
    [
        ("training_set", "test_set", "validation_set"),
        ("train", "testing", "val"),
        ("Train", "Test", "Valid"),
    ],
)
def test_parts_by_any_name_are_never_classes(
    names: tuple[str, str, str], data: Path, tmp_path: Path
) -> None:
    """What is held out is what they hold out, and what is tested is learnt from by nobody."""
    whole = tmp_path / "whole"
    for name in names:
        shutil.copytree(data, whole / name)
    labelled, test = scan_parts(whole)
    assert test == whole / names[1]
    assert labelled.labels == {"cat", "dog"}
    assert labelled.held_out == frozenset((whole / names[2]).rglob("*.jpg"))
    assert len(labelled.photos) == 22


def test_each_part_may_lie_in_a_folder_of_its_own_name(data: Path, tmp_path: Path) -> None:
    """As Kaggle's archives unpack."""
    whole = tmp_path / "archive"
    for name in ("training_set", "test_set"):
        shutil.copytree(data, whole / name / name)
    labelled, test = scan_parts(tmp_path / "archive")
    assert counts(labelled) == {"cat": 6, "dog": 5}
    assert test is not None
    assert counts(scan(test)) == {"cat": 6, "dog": 5}


def test_what_is_no_clear_part_is_refused_or_told(data: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(data, whole / "train")
    shutil.copytree(data, whole / "notes")
    assert "notes/ is left alone" in " ".join(scan_parts(whole)[0].notes)
    shutil.copytree(data, whole / "training")
    with pytest.raises(UsageRefused, match=r"train/ and training/, which mean the same"):
        scan_parts(whole)
    shutil.rmtree(whole / "training")
    shutil.copytree(data / "cats", whole / "cats")
    with pytest.raises(UsageRefused, match=r"holds train/ beside class folders"):
        scan_parts(whole)
    shutil.rmtree(whole / "cats")
    (whole / "train").rename(whole / "val")
    with pytest.raises(UsageRefused, match=r"holds val/ .*Name .*val instead"):
        scan_parts(whole)


@pytest.mark.parametrize("names", [("Cat", "DOGS"), ("cat", "dog"), ("CATS", "Dog")])
def test_classes_are_known_in_any_case_and_number(
    names: tuple[str, str], data: Path, fill_folder: Fill, console: Any
) -> None:
    """And it is said which folder was taken for which."""
    for before, after in zip(("cats", "dogs"), names, strict=True):
        (data / before).rename(data / after)
    fill_folder(data, {"other": 3})
    (data / "other").rename(data / "OTHER")
    labelled = gather(TrainOptions(data), TrainContext(data, console)).labelled
    assert counts(labelled) == {"cat": 6, "dog": 5, "other": 3}
    assert [one.folder for one in labelled.classes] == ["cats", "dogs", "other"]
    for name in (*names, "OTHER"):
        assert any(line.startswith(f"{name}/ is taken for ") for line in console.lines) is (
            name not in ("cats", "dogs", "other")
        )


def test_two_folders_of_one_class_are_refused(data: Path) -> None:
    shutil.copytree(data / "cats", data / "Cat")
    with pytest.raises(UsageRefused, match=r"Cat/, cats/. Keep one"):
        scan(data)


@pytest.mark.parametrize(
    "name", [".ipynb_checkpoints", "@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", ".git"]
)
def test_what_other_programs_put_there_is_no_class(name: str, data: Path) -> None:
    """Neither beside the class folders nor within them."""
    shutil.copytree(data / "dogs", data / name)
    shutil.copytree(data / "dogs", data / "cats" / name)
    assert counts(scan(data)) == {"cat": 6, "dog": 5}


def test_links_to_photos_and_folders_are_photos(data: Path, tmp_path: Path) -> None:
    """Whoever links a choice of photos keeps no second copy; a loop of links ends."""
    linked = tmp_path / "linked"
    (linked / "cats").mkdir(parents=True)
    for photo in (data / "cats").iterdir():
        (linked / "cats" / photo.name).symlink_to(photo)
    (linked / "dogs").symlink_to(data / "dogs")
    assert counts(scan(linked)) == {"cat": 6, "dog": 5}
    (linked / "cats" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (linked / "cats" / "more").symlink_to(data / "cats")
    (linked / "cats" / "again").symlink_to(linked / "cats")
    os.mkfifo(tmp_path / "pipe")
    (linked / "cats" / "pipe.jpg").symlink_to(tmp_path / "pipe")
    labelled = scan(linked)
    assert counts(labelled) == {"cat": 13, "dog": 5}
    assert labelled.not_photos == 1, "what cannot be read to its end is never opened"


@pytest.mark.parametrize(
    "name",
    ["{kind}.{number}.jpg", "{kind}_{number}.jpg", "{kind} ({number}).jpg", "{kind}{number}.jpg"],
)
def test_file_names_may_tell_the_class(name: str, data: Path, tmp_path: Path) -> None:
    kaggle = flat(data, tmp_path / "kaggle" / "train", name)
    (kaggle / "catalogue 7.jpg").write_bytes(b"no cat")
    (tmp_path / "kaggle" / "test1").mkdir()
    shutil.copy(kaggle / name.format(kind="cat", number=0), tmp_path / "kaggle" / "test1" / "1.jpg")
    labelled, test = scan_parts(tmp_path / "kaggle")
    assert counts(labelled) == {"cat": 6, "dog": 5}
    assert test is None
    notes = " ".join(labelled.notes)
    assert "taken from the file names" in notes
    assert "1 photos whose names say none are not used" in notes
    assert "test1/ is not measured" in notes


def test_the_one_folder_in_a_folder_is_looked_into(data: Path, tmp_path: Path) -> None:
    (tmp_path / "download" / "PetImages").mkdir(parents=True)
    shutil.copytree(data / "cats", tmp_path / "download" / "PetImages" / "Cat")
    shutil.copytree(data / "dogs", tmp_path / "download" / "PetImages" / "Dog")
    (tmp_path / "download" / "readme.txt").write_text("hello")
    assert counts(scan_parts(tmp_path / "download")[0]) == {"cat": 6, "dog": 5}


def test_one_class_alone_is_not_looked_into(data: Path, tmp_path: Path) -> None:
    """The kinds of cats in it would become classes."""
    shutil.copytree(data, tmp_path / "one" / "cats")
    with pytest.raises(UsageRefused, match="two class folders"):
        scan(tmp_path / "one")


@pytest.mark.parametrize(
    ("header", "delimiter"), [("file,label", ","), ("id;class", ";"), ("Image_Name\tSpecies", "\t")]
)
def test_a_table_may_tell_the_class(
    header: str, delimiter: str, data: Path, tmp_path: Path
) -> None:
    photos = flat(data, tmp_path / "flat" / "images", "p{kind}{number}.jpg")
    lines = [header, *(
        f"{path.stem if header.startswith('id') else path.name}{delimiter}"
        f"{'Cat' if 'cat' in path.name else 'dog'}"
        for path in sorted(photos.iterdir())
    ), f"gone.jpg{delimiter}cat"]  # fmt: skip
    table = tmp_path / "flat" / "labels.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    for given in (tmp_path / "flat", table):
        labelled, _ = scan_parts(given)
        assert counts(labelled) == {"cat": 6, "dog": 5}
        assert "1 photos that it names are not there" in " ".join(labelled.notes)


def test_a_table_beside_a_part_tells_its_classes(data: Path, tmp_path: Path) -> None:
    photos = flat(data, tmp_path / "flat" / "train", "{number}-{kind}.jpg")
    lines = [f"{path.stem},{path.stem.split('-')[1]}" for path in sorted(photos.iterdir())]
    (tmp_path / "flat" / "labels.csv").write_text("\n".join(["id,label", *lines]))
    assert counts(scan_parts(tmp_path / "flat")[0]) == {"cat": 6, "dog": 5}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n1.jpg,cat\n", "must have the columns file and label"),
        ("file,label\n1.jpg,0\n2.jpg,1\n", r"numbers for labels \(0, 1\)"),
        ("file,label\n1.jpg,../cats\n", "no name"),
        ("file,label\npcat1.jpg,cat\n", "two classes or more"),
    ],
)
def test_a_table_that_says_no_classes_is_refused(
    content: str, why: str, data: Path, tmp_path: Path
) -> None:
    flat(data, tmp_path / "flat", "p{kind}{number}.jpg")
    (tmp_path / "flat" / "mine.csv").write_text(content)
    with pytest.raises(UsageRefused, match=why):
        scan(tmp_path / "flat" / "mine.csv")


def test_photos_without_any_label_are_refused_with_what_would_be_taken(
    data: Path, tmp_path: Path
) -> None:
    folder = flat(data, tmp_path / "flat", "IMG_{number}{kind}.jpg")
    with pytest.raises(UsageRefused, match=r"catdog train .*labels\.csv"):
        scan(folder)
    (tmp_path / "zips").mkdir()
    (tmp_path / "zips" / "train.zip").write_bytes(b"PK")
    with pytest.raises(UsageRefused, match=r"catdog train .*train\.zip"):
        scan(tmp_path / "zips")
    (tmp_path / "photos.rar").write_bytes(b"Rar!")
    with (
        pytest.raises(UsageRefused, match=r"Unpack it first.*catdog train .*photos"),
        unpacked(tmp_path / "photos.rar", print),
    ):
        raise AssertionError


def kaggle_zip(data: Path, tmp_path: Path) -> Path:
    """Pack photos as the competition does: zips in a zip, one of them without labels."""
    train = flat(data, tmp_path / "packed" / "train")
    with zipfile.ZipFile(tmp_path / "packed" / "train.zip", "w") as packed:
        for photo in train.iterdir():
            packed.write(photo, f"train/{photo.name}")
            packed.writestr(f"__MACOSX/train/._{photo.name}", b"x")
    with zipfile.ZipFile(tmp_path / "packed" / "test1.zip", "w") as packed:
        packed.write(train / "cat.0.jpg", "test1/1.jpg")
    with zipfile.ZipFile(tmp_path / "dogs-vs-cats.zip", "w") as outer:
        for name in ("train.zip", "test1.zip"):
            outer.write(tmp_path / "packed" / name, name)
        outer.writestr("sampleSubmission.csv", "id,label\n1,0\n")
    return tmp_path / "dogs-vs-cats.zip"


def test_archives_are_taken_and_leave_nothing(data: Path, tmp_path: Path) -> None:
    said: list[str] = []
    for suffix in ("zip", "tar", "tar.gz"):
        archive = tmp_path / f"pets.{suffix}"
        if suffix == "zip":
            archive = kaggle_zip(data, tmp_path)
        else:
            with tarfile.open(archive, "w:gz" if suffix.endswith("gz") else "w") as packed:
                packed.add(data, "pets")
        with unpacked(archive, said.append) as folder:
            labelled, _ = scan_parts(folder)
            assert counts(labelled) == {"cat": 6, "dog": 5}
            assert display(labelled.photos[0].path).startswith(f"{archive.name}/")
        assert not folder.exists()
    assert all("is unpacked" in line for line in said)
    assert "/" in display(labelled.photos[0].path).removeprefix("pets.tar.gz/")


def test_nothing_is_written_outside_where_an_archive_is_unpacked(tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as packed:
        for name in ("../out.jpg", f"{tmp_path}/out.jpg", "cats/in.jpg"):
            packed.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("cats/link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    with unpacked(evil, print) as folder:
        assert [path.name for path in folder.rglob("*") if path.is_file()] == ["in.jpg"]
        assert not list(folder.parent.parent.glob("out.jpg"))
    assert not (tmp_path / "out.jpg").exists()


def test_an_archive_that_is_cut_is_refused(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "pets.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(data, "pets")
    archive.write_bytes(archive.read_bytes()[:5000])
    with (
        pytest.raises(UsageRefused, match=r"pets\.tar\.gz cannot be unpacked"),
        unpacked(archive, print),
    ):
        raise AssertionError


def test_the_page_of_label_errors_moves_nothing_into_an_archive(
    tmp_path: Path, fill_folder: Fill, head_models_dir: Path
) -> None:
    """It shows the photos; what lies in a zip, or is told by a name, is put right there."""
    data = fill_folder(tmp_path / "data", {"cats": 30, "dogs": 30}, 500)
    for number in (507, 523):
        (data / "cats" / f"cats-{number}.jpg").rename(data / "dogs" / f"tom-{number}.jpg")
    archive = tmp_path / "pets.tar"
    with tarfile.open(archive, "w") as packed:
        packed.add(data, "pets")
    output = tmp_path / "page"
    arguments = ["--models-dir", str(head_models_dir), "train", str(archive)]
    arguments += ["--find-label-errors", "--output", str(output)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "pets.tar/pets/dogs/tom-507.jpg says dog; taken for cat" in result.stdout
    page = (output / "label-errors.html").read_text(encoding="utf-8")
    assert '<small class="name">pets.tar/pets/dogs/tom-507.jpg' in page
    assert "mv -n" not in page
    assert "disabled" in page


def test_a_kaggle_zip_is_learnt_from_and_measured_in_one_command(
    tmp_path: Path, fill_folder: Fill, head_models_dir: Path
) -> None:
    """What it says names photos as they lie in the archive."""
    data = fill_folder(tmp_path / "data", {"cats": 14, "dogs": 14}, 500)
    (data / "cats" / "a.jpg").write_bytes(b"no photo")
    archive = kaggle_zip(data, tmp_path)
    models = ["--models-dir", str(head_models_dir)]
    result = CliRunner().invoke(main, [*models, "train", str(archive), "--no-promote"])
    assert result.exit_code == 0, result.output
    assert "28 of 28" in result.stdout
    assert "Skipped: dogs-vs-cats.zip/train/train/cat.0.jpg" in result.stdout
    measured = CliRunner().invoke(
        main, [*models, "evaluate", str(tmp_path / "packed" / "train.zip"), "--json"]
    )
    assert measured.exit_code == 0, measured.output
    assert '"files": 29' in measured.stdout
