"""Which sidecars a photo has."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from sorter.sidecars.matching import FolderSidecars, sidecars_in
from sorter.sidecars.name_patterns import SidecarNames, renamed


@pytest.mark.parametrize(
    ("photo", "beside"),
    [
        ("IMG.jpg", ["IMG.xmp", "img.XMP", "IMG.jpg.xmp", "IMG.JPG.Xmp", "IMG.aae", "IMG.json"]),
        ("IMG.jpg", ["IMG.jpg.json", "IMG.jpg.supplemental-metadata.json"]),
        ("IMG.HEIC", ["IMG.MOV", "IMG.AAE"]),
        ("IMG.JPG", ["IMG.CR2", "IMG.CR2.xmp", "IMG.dng"]),
        ("no suffix", ["no suffix.xmp"]),
        ("IMG.NEF.jpg", ["IMG.NEF.jpg.pp3", "IMG.NEF.dop"]),
        ("IMG.jpg", ["IMG.jpg.pp3", "IMG.jpg.out.pp3", "IMG.jpg.dop", "IMG.on1", "IMG.nksc"]),
        ("IMG.jpg", ["IMG.vrd", "IMG.jpg.arp", "IMG.yml", "IMG.THM", "IMG.wav"]),
        ("x.jpg", ["x_01.jpg.xmp", "x_12.jpg.xmp", "x.jpg_original", "x.xmp", "x.xmp_original"]),
        ("x.jpg", ["x.nef", "x.nef.xmp", "x_01.nef.xmp"]),
        ("IMG_1234.HEIC", ["IMG_1234.MP4", "IMG_1234_HEVC.MOV", "IMG_O1234.AAE", "IMG_1234.AAE"]),
        ("IMG_1234.JPG", ["IMG_1234_HEIC.MOV"]),
        ("PXL_1.MP~2.jpg", ["PXL_1.MP~2", "PXL_1.mp~2"]),
        ("PXL_1.MP(1).jpg", ["PXL_1.MP(1)", "PXL_1(1).MP"]),
        ("PXL_1.MP.jpg", ["PXL_1.MP", "PXL_1.MP.jpg.supplemental-meta.json", "PXL_1.mp4"]),
        ("Käthe.jpg", ["Käthe.xmp", "Käthe.jpg.json"]),
        ("KÄTHE.jpg", ["Käthe.mov"]),
        ("IMG_1(1).jpg", ["IMG_1.jpg(1).json", "IMG_1(1).jpg.supplemental-metadata.json"]),
        ("IMG_1(2).jpg", ["IMG_1.jpg.supplemental-metadata(2).json", "IMG_1(2).mp4"]),
        ("IMG_1(2).jpg", ["IMG_1.jpg.supplemental-me(2).json"]),
        ("Strasse.jpg", ["STRASSE.XMP"]),
    ],
)
def test_a_photo_has_what_is_named_after_it(photo: str, beside: list[str]) -> None:
    names = [photo, *beside, "other.jpg", "other.xmp", "notes.txt"]
    sidecars = FolderSidecars(names, {"no suffix"})
    assert set(sidecars.of(photo)) == set(beside)
    assert set(sidecars.take(photo)) == set(beside)
    assert sidecars.orphans() == ()


def test_names_that_only_look_alike_are_left_alone() -> None:
    names = ["IMG.jpg", "IMG2.xmp", "IMG.jpg.txt", "IMG.pdf", "IMG.mkv", "xIMG.xmp", ".xmp"]
    assert FolderSidecars(names).of("IMG.jpg") == ()


def test_what_is_shared_goes_with_the_last_that_leaves() -> None:
    sidecars = FolderSidecars(["IMG.heic", "IMG.jpg", "IMG.mov", "IMG.jpg.xmp"])
    assert sidecars.take("IMG.jpg") == ("IMG.jpg.xmp",)
    sidecars.put_back("IMG.jpg")
    assert sidecars.take("IMG.heic") == ()
    assert set(sidecars.take("IMG.jpg")) == {"IMG.mov", "IMG.jpg.xmp"}


def test_the_exact_case_wins_where_a_folder_tells_case_apart() -> None:
    sidecars = FolderSidecars(["IMG.jpg", "img.jpg", "IMG.xmp", "img.jpg.json"])
    assert sidecars.of("IMG.jpg") == ("IMG.xmp",)
    assert sidecars.of("img.jpg") == ("img.jpg.json",)


def test_a_sidecar_of_another_file_is_no_orphan() -> None:
    """A film, a RAW without its JPEG, and what is written about these stay where they are."""
    sidecars = FolderSidecars(
        ["film.mp4", "film.xmp", "film.mp4.json", "RAW.CR2", "RAW.xmp", "x.aae"]
    )
    assert sidecars.orphans() == ("film.mp4", "RAW.CR2", "x.aae")


def test_renaming_keeps_what_follows_the_stem() -> None:
    assert renamed("IMG.jpg.xmp", "IMG", "IMG (1)") == "IMG (1).jpg.xmp"
    assert renamed("IMG_O1234.AAE", "IMG_1234", "IMG_1234 (1)") == "IMG_O1234 (1).AAE"
    assert renamed("IMG_1.jpg(1).json", "IMG_1(1)", "IMG_1(1) (2)") == "IMG_1.jpg(1) (2).json"
    assert renamed("Käthe.xmp", "Käthe", "Käthe (1)") == "Käthe (1).xmp"
    assert SidecarNames().is_sidecar("a.CR3")
    assert not SidecarNames().is_sidecar("a.jpg")


LONG = "Screenshot of a very long page about cats and dogs.jpg"  # 54 letters


@pytest.mark.parametrize("length", range(len("tom.jpg."), len("tom.jpg.supplemental-metadata") + 1))
def test_takeouts_notes_are_known_wherever_their_suffix_is_cut(length: int) -> None:
    note = "tom.jpg.supplemental-metadata"[:length] + ".json"
    assert FolderSidecars(["tom.jpg", "tom.jp", note]).of("tom.jpg") == (note,)


@pytest.mark.parametrize("photo", [LONG, "x" * 39 + ".jpeg", "x" * 43 + ".jpg", "x" * 44 + ".jpg"])
def test_takeouts_notes_are_known_where_the_photos_name_is_cut(photo: str) -> None:
    """At 46 letters, in its suffix too; the numbers are added after that."""
    stem, _, suffix = photo.rpartition(".")
    note = (photo + ".supplemental-metadata")[:46] + ".json"
    numbered = (photo + ".supplemental-metadata")[:46] + "(1).json"
    second, edited = f"{stem}(1).{suffix}", f"{stem}-edited.{suffix}"
    sidecars = FolderSidecars([photo, second, edited, note, numbered, "xx.jpg"])
    assert (sidecars.of(photo), sidecars.of(second)) == ((note,), (numbered,))
    assert sidecars.of(edited) == ()
    assert sidecars.orphans() == ()


def test_an_edited_photo_leaves_the_note_with_the_original() -> None:
    sidecars = FolderSidecars(["tom.jpg", "tom-edited.jpg", "tom.jpg.supplemental-metadata.json"])
    assert sidecars.take("tom-edited.jpg") == ()
    assert sidecars.of("tom.jpg") == ("tom.jpg.supplemental-metadata.json",)


def test_a_json_belongs_to_a_photo_only_if_it_is_about_one(tmp_path: Path) -> None:
    for name, content in {
        "package.json": b'{"name": "package", "version": "1"}',
        "list.json": b"[1, 2]",
        "broken.json": b'{"title": ',
        "tom.json": b'{"title": "tom.jpg", "photoTakenTime": {"timestamp": "1562243400"}}',
        "mia.jpg.json": b"{}",
        "rex.jpg.json": b'{"title": "sue.jpg", "photoTakenTime": {"timestamp": "1"}}',
        "sofa.jpg.json": b'{"title": "My cat on the sofa"}',
        "a_b.jpg.json": b'{"title": "a&b.jpg", "url": ""}',
    }.items():
        (tmp_path / name).write_bytes(content)
    photos = ["package", "list", "broken", "tom", "mia", "rex", "sofa", "a_b"]
    names = [f"{one}.jpg" for one in photos] + [path.name for path in tmp_path.iterdir()]
    sidecars = sidecars_in(tmp_path, names, (), SidecarNames())
    belongs = {one for one in photos if sidecars.take(f"{one}.jpg")}
    assert belongs == {"tom", "mia", "sofa", "a_b"}


def test_a_person_can_add_suffixes() -> None:
    names = ["tom.jpg", "tom.txt", "tom.jpg.txt", "tom_notes.md"]
    table = SidecarNames((".txt", "_notes.md"))
    assert set(FolderSidecars(names, table=table).of("tom.jpg")) == set(names[1:])
    assert FolderSidecars(names).of("tom.jpg") == ()


def test_photos_without_sidecars_are_not_remembered_when_they_leave() -> None:
    names = [f"{number:06}.jpg" for number in range(5_000)]
    sidecars = FolderSidecars([*names, "000007.xmp"])
    tracemalloc.start()
    try:
        assert [sidecars.take(name) for name in names].count(("000007.xmp",)) == 1
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5_000
