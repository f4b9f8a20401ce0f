"""What belongs to a photo."""

from __future__ import annotations

import tracemalloc

import pytest

from sorter.moving.companions import Companions, base_of, is_companion_name, renamed


@pytest.mark.parametrize(
    ("photo", "beside"),
    [
        ("IMG.jpg", ["IMG.xmp", "img.XMP", "IMG.jpg.xmp", "IMG.JPG.Xmp", "IMG.aae", "IMG.json"]),
        ("IMG.jpg", ["IMG.jpg.json", "IMG.jpg.supplemental-metadata.json"]),
        ("IMG.HEIC", ["IMG.MOV", "IMG.AAE"]),
        ("IMG.JPG", ["IMG.CR2", "IMG.CR2.xmp", "IMG.dng"]),
        ("no suffix", ["no suffix.xmp"]),
        ("Strasse.jpg", ["STRASSE.XMP"]),
    ],
)
def test_a_photo_has_what_is_named_after_it(photo: str, beside: list[str]) -> None:
    names = [photo, *beside, "other.jpg", "other.xmp", "notes.txt"]
    companions = Companions(names, {"no suffix"})
    assert set(companions.of(photo)) == set(beside)
    assert set(companions.take(photo)) == set(beside)
    assert companions.orphans() == ()


def test_names_that_only_look_alike_are_left_alone() -> None:
    names = ["IMG.jpg", "IMG2.xmp", "IMG.jpg.txt", "IMG.pdf", "IMG.mp4", "xIMG.xmp", ".xmp"]
    assert Companions(names).of("IMG.jpg") == ()


def test_what_is_shared_goes_with_the_last_that_leaves() -> None:
    companions = Companions(["IMG.heic", "IMG.jpg", "IMG.mov", "IMG.jpg.xmp"])
    assert companions.take("IMG.jpg") == ("IMG.jpg.xmp",)
    companions.put_back("IMG.jpg")
    assert companions.take("IMG.heic") == ()
    assert set(companions.take("IMG.jpg")) == {"IMG.mov", "IMG.jpg.xmp"}


def test_the_exact_case_wins_where_a_folder_tells_case_apart() -> None:
    companions = Companions(["IMG.jpg", "img.jpg", "IMG.xmp", "img.jpg.json"])
    assert companions.of("IMG.jpg") == ("IMG.xmp",)
    assert companions.of("img.jpg") == ("img.jpg.json",)


def test_a_sidecar_of_another_file_is_no_orphan() -> None:
    """A film, a RAW without its JPEG, and what is written about these stay where they are."""
    companions = Companions(
        ["film.mp4", "film.xmp", "film.mp4.json", "RAW.CR2", "RAW.xmp", "x.aae"]
    )
    assert companions.orphans() == ("RAW.CR2", "x.aae")


def test_renaming_keeps_what_follows_the_stem() -> None:
    assert renamed("IMG.jpg.xmp", "IMG", "IMG (1)") == "IMG (1).jpg.xmp"
    assert base_of("IMG.jpg.supplemental-metadata.json") == "IMG.jpg"
    assert is_companion_name("a.CR3")
    assert not is_companion_name("a.jpg")


def test_photos_without_companions_are_not_remembered_when_they_leave() -> None:
    names = [f"{number:06}.jpg" for number in range(5_000)]
    companions = Companions([*names, "000007.xmp"])
    tracemalloc.start()
    try:
        assert [companions.take(name) for name in names].count(("000007.xmp",)) == 1
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 5_000
