"""What is input, what never is, and which folders are refused."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageRefused
from sorter.outcome import Reason
from sorter.scanning.inbox import Inbox
from sorter.scanning.patterns import excludes
from sorter.scanning.scanned import Names, Skipped, SkippedBecause

CLASSES = frozenset({"cats", "dogs", "other", "rabbits"})


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in (
        "inbox/a.jpg", "inbox/trip/b.jpg", "inbox/.trash/c.jpg", "cats/d.jpg", "dogs/e.jpg",
        "unsure/f.jpg", "rabbits/g.jpg", "h.jpg", "inbox/trip/cats/i.jpg",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def photos(inbox: Inbox) -> list[str]:
    inbox.check()
    found = [one.folder / name for one in inbox.scan() for name in one.photos]
    assert all(inbox.takes(path) for path in found)
    return [path.relative_to(inbox.folder).as_posix() for path in found]


def test_class_folders_of_any_model_and_set_apart_ones_are_never_read(pictures: Path) -> None:
    inbox = Inbox(pictures, pictures, recursive=True, class_folders=CLASSES)
    assert photos(inbox) == ["h.jpg", "inbox/a.jpg", "inbox/trip/b.jpg"]
    for name in ("cats/d.jpg", "unsure/f.jpg", "rabbits/g.jpg", "inbox/.trash/c.jpg", "no.pdf"):
        assert not inbox.takes(pictures / name)
    assert not inbox.takes(pictures.parent / "elsewhere.jpg")


def test_subfolders_only_when_asked(pictures: Path) -> None:
    inbox = Inbox(pictures / "inbox", pictures, recursive=False, class_folders=CLASSES)
    assert photos(inbox) == ["a.jpg"]
    assert not inbox.takes(pictures / "inbox" / "trip" / "b.jpg")


def test_an_inbox_may_lie_inside_the_destination(pictures: Path) -> None:
    """`watch ~/Pictures/inbox --into ~/Pictures`."""
    inbox = Inbox(pictures / "inbox", pictures, recursive=True, class_folders=CLASSES)
    assert photos(inbox) == ["a.jpg", "trip/b.jpg"]


def test_a_destination_inside_the_folder_is_not_read(pictures: Path) -> None:
    destination = pictures / "inbox" / "trip"
    inbox = Inbox(pictures / "inbox", destination, recursive=True, class_folders=CLASSES)
    assert photos(inbox) == ["a.jpg"]


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_class_folder_is_known_behind_a_link(pictures: Path) -> None:
    (pictures / "cats").rename(pictures / "all my cats")
    (pictures / "cats").symlink_to(pictures / "all my cats")
    with pytest.raises(UsageRefused, match="where photos are filed"):
        Inbox(pictures / "all my cats", pictures, recursive=False, class_folders=CLASSES).check()


@pytest.mark.parametrize("folder", ["cats", "cats/best", "dogs", "rabbits"])
def test_a_folder_that_photos_are_filed_into_is_refused(pictures: Path, folder: str) -> None:
    (pictures / folder).mkdir(exist_ok=True)
    with pytest.raises(UsageRefused, match="where photos are filed"):
        Inbox(pictures / folder, pictures, recursive=False, class_folders=CLASSES).check()


def test_what_is_in_quarantine_may_be_sorted_again(pictures: Path) -> None:
    inbox = Inbox(pictures / "unsure", pictures, recursive=False, class_folders=CLASSES)
    assert photos(inbox) == ["f.jpg"]


def test_files_in_the_place_of_folders_are_refused(pictures: Path) -> None:
    with pytest.raises(UsageRefused, match="not a folder"):
        Inbox(pictures / "h.jpg", pictures, False, CLASSES).check()
    with pytest.raises(UsageRefused, match="not a folder"):
        Inbox(pictures / "inbox", pictures / "h.jpg", False, CLASSES).check()


def test_patterns_choose_photos_by_name_and_by_path(pictures: Path) -> None:
    def chosen(**patterns: Any) -> list[str]:
        return photos(Inbox(pictures, pictures, True, CLASSES, **patterns))

    assert chosen(include=("A.*",)) == ["inbox/a.jpg"]
    assert chosen(exclude=("inbox/*",)) == ["h.jpg"]
    assert chosen(include=("*.jpg",), exclude=("a.jpg", "b.jpg")) == ["h.jpg"]
    (found, *_) = Inbox(pictures, pictures, False, CLASSES, exclude=("h*",)).scan()
    assert found.passed_over == {"h.jpg": Reason.EXCLUDED}


@pytest.mark.parametrize("beside", ["h.jpg.part", "H.JPG.crdownload", "h.jpg.aria2"])
def test_an_unfinished_download_is_not_yet_input(pictures: Path, beside: str) -> None:
    """Browsers take the final name at once, and fill another file beside it."""
    (pictures / beside).write_bytes(b"half")
    (pictures / "~i.jpg").write_bytes(b"half")
    (found, *_) = Inbox(pictures, pictures, False, CLASSES).scan()
    assert list(found.photos) == []
    assert found.passed_over == {"h.jpg": Reason.UNFINISHED, "~i.jpg": Reason.UNFINISHED}
    assert found.others == (beside,)


def test_a_large_folder_takes_little_more_than_its_names(tmp_path: Path) -> None:
    """At 250 bytes a file, 100,000 took a third more memory than 1,000."""
    for number in range(5_000):
        (tmp_path / f"{number:06}.jpg").touch()
    tracemalloc.start()
    try:
        (found,) = Inbox(tmp_path, tmp_path, False, CLASSES).scan()
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert list(found.photos) == [f"{number:06}.jpg" for number in range(5_000)]
    assert kept / 5_000 < 20  # bytes, for a name of ten letters
    assert most / 5_000 < 130  # while they are listed they are strings


def test_names_are_packed_and_come_back_as_they_were() -> None:
    """Bytes that are no UTF-8 are surrogates in Python."""
    names = ["a.jpg", "Käthe.jpg", "猫 🐱.jpg", "\udcff.jpg", "line\nbreak.jpg"]
    assert list(Names(names)) == names
    assert len(Names(names)) == 5
    assert list(Names([])) == []
    assert not Names([])


STORES = [
    "Photos Library.photoslibrary", "iPhoto Library.photolibrary", "old.aplibrary",
    "Catalog Previews.lrdata", "Lightroom Library.lrlibrary", "@eaDir", "#recycle",
    "$RECYCLE.BIN", ".Trash-1000", ".Trashes", "Thumbs", "__MACOSX", "CaptureOne", "X.cocatalog",
    ".dtrash", "lost+found", "System Volume Information", "tom.jpg.download", "@EADIR",
]  # fmt: skip


def skipped_of(inbox: Inbox) -> dict[str, str]:
    skipped: list[Skipped] = []
    list(inbox.scan(skipped.append))
    return {one.folder.relative_to(inbox.folder).as_posix(): one.why for one in skipped}


@pytest.mark.parametrize("name", STORES)
def test_what_other_programs_keep_for_themselves_is_never_input(pictures: Path, name: str) -> None:
    """At any depth, for events as for a scan, and named."""
    store = pictures / "inbox" / name / "originals" / "A"
    store.mkdir(parents=True)
    (store / "tom.jpg").write_bytes(b"x")
    inbox = Inbox(pictures, pictures, recursive=True, class_folders=CLASSES)
    assert photos(inbox) == ["h.jpg", "inbox/a.jpg", "inbox/trip/b.jpg"]
    assert not inbox.takes(store / "tom.jpg")
    assert skipped_of(inbox)[f"inbox/{name}"] == SkippedBecause.OTHER_STORE


@pytest.mark.parametrize("below", ["", "originals/A"])
def test_a_library_or_a_folder_in_it_is_refused(pictures: Path, below: str) -> None:
    folder = pictures / "Photos Library.photoslibrary" / below
    folder.mkdir(parents=True)
    with pytest.raises(UsageRefused, match="another program keeps"):
        Inbox(folder, pictures / "sorted", False, CLASSES).check()


def test_an_album_that_is_called_like_a_class_is_named_as_skipped(pictures: Path) -> None:
    for folder in ("inbox/trip/Cats", "inbox/dogs"):
        (pictures / folder).mkdir(exist_ok=True)
    inbox = Inbox(pictures, pictures, recursive=True, class_folders=CLASSES)
    named = [one for one, why in skipped_of(inbox).items() if why == SkippedBecause.CLASS_FOLDER]
    assert sorted(named) == ["inbox/dogs", "inbox/trip/Cats", "inbox/trip/cats"]


def test_folders_are_excluded_at_any_depth_as_git_would(pictures: Path) -> None:
    def chosen(*exclude: str) -> list[str]:
        inbox = Inbox(pictures, pictures, True, CLASSES, exclude=exclude)
        scanned = {one.folder for one in inbox.scan()}
        for folder in (pictures, pictures / "inbox", pictures / "inbox" / "trip"):
            assert inbox.holds(folder) == (folder in scanned)
        return photos(inbox)

    assert chosen("trip") == chosen("TRIP/") == chosen("tr*p") == ["h.jpg", "inbox/a.jpg"]
    assert chosen("inbox/trip") == chosen("/inbox/trip/") == chosen("**/trip") == chosen("trip")
    assert chosen("inbox") == ["h.jpg"]
    assert chosen("/trip") == ["h.jpg", "inbox/a.jpg", "inbox/trip/b.jpg"]
    assert chosen("a.jpg/") == ["h.jpg", "inbox/a.jpg", "inbox/trip/b.jpg"]
    assert chosen("*.jpg", "!b.jpg") == ["inbox/trip/b.jpg"]
    assert chosen("inbox", "!b.jpg") == ["h.jpg"]


@pytest.mark.parametrize("part", ["h.AbC_-d12.jpg.part", "H.12345678.JPG.PART"])
def test_firefoxs_empty_name_waits_for_what_is_beside_it(pictures: Path, part: str) -> None:
    (pictures / part).write_bytes(b"half")
    inbox = Inbox(pictures, pictures, False, CLASSES)
    assert photos(inbox) == ["h.jpg"]  # it has bytes: it is another photo of that name
    (pictures / "h.jpg").write_bytes(b"")
    (found, *_) = inbox.scan()
    assert found.passed_over == {"h.jpg": Reason.UNFINISHED}


def test_a_download_that_was_forgotten_years_ago_blocks_nothing(pictures: Path) -> None:
    for name in ("h.jpg.part", "h.jpg.crdownload", "h.AbCdEf12.jpg.part"):
        (pictures / name).write_bytes(b"half")
        os.utime(pictures / name, (1_500_000_000, 1_500_000_000))
    assert photos(Inbox(pictures, pictures, False, CLASSES)) == ["h.jpg"]


@pytest.mark.parametrize(
    ("pattern", "name", "is_excluded"),
    [
        ("[9-1]*", "9.jpg", False),  # no range: the letters themselves
        ("[9-1]*", "[9-1].jpg", True),
        ("[[:digit:]]*", "5.jpg", True),
        ("[[:digit:]]*", "a.jpg", False),
        ("[!a-c]*", "d.jpg", True),
        ("[!a-c]*", "B.jpg", False),
        ("[]x]*", "].jpg", True),
        ("[a&&b].jpg", "&.jpg", True),
        ("a[b.jpg", "a[b.jpg", True),
        ("e\u0301.jpg", "\u00e9.jpg", True),  # an accent of its own, and with its letter
    ],
)
@pytest.mark.filterwarnings("error")
def test_sets_of_letters_are_read_as_git_reads_them(
    pattern: str, name: str, is_excluded: bool
) -> None:
    assert excludes([pattern], Path(name), is_folder=False) == is_excluded


def test_a_download_from_the_future_holds_nothing_up(pictures: Path) -> None:
    part = pictures / "h.jpg.part"
    part.write_bytes(b"")
    os.utime(part, (4e9, 4e9))
    (found, *_) = Inbox(pictures, pictures, False, CLASSES).scan()
    assert "h.jpg" in [*found.photos]
