"""What was moved comes back, to the byte, and what is not ours to move is left alone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from catdog import main
from core.store.database import Store
from sorter.filing import late_sidecars
from sorter.filing.move_group import move_group
from sorter.moving import transfer
from sorter.undoing import undo as undo_module
from sorter.undoing.history import runs
from sorter.undoing.selection import groups_of
from sorter.undoing.undo import put_back

Put = Callable[[Path, bytes], Path]
Tree = Callable[[Path], dict[str, bytes]]
Times = Callable[[Path], dict[str, int]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def undone(*arguments: object) -> list[dict[str, Any]]:
    result = run("undo", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path: Path, draw: Callable[..., Any], put: Put) -> Path:
    """Four photos, one of them in a subfolder, two with sidecars."""
    folder = tmp_path / "pictures"
    (folder / "trip").mkdir(parents=True)
    for name, kind, seed in (
        ("tom.jpg", "cats", 300),
        ("mia.jpg", "cats", 301),
        ("rex.jpg", "dogs", 300),
        ("trip/tom.jpg", "cats", 302),
    ):
        draw(kind, seed).save(folder / name)
        os.utime(folder / name, ns=(1_500_000_000_000_000_000 + seed, 1_500_000_000_123_456_789))
    put(folder / "tom.xmp", b"about tom")
    put(folder / "tom.jpg.json", b"{}")
    put(folder / "trip" / "tom.mov", b"tom moves")
    put(folder / "notes.txt", b"not about tom")
    return folder


@pytest.fixture
def sorted_folder(folder: Path, tiny_model: Path) -> Path:
    result = run("sort", folder, "--recursive", "--model", tiny_model)
    assert result.exit_code == 0, result.output
    assert {p.name for p in (folder / "cats").iterdir()} == {
        "tom.jpg", "tom.xmp", "tom.jpg.json", "mia.jpg", "tom (1).jpg", "tom (1).mov",
    }  # fmt: skip
    return folder


def test_everything_comes_back_to_the_byte_and_the_nanosecond(
    folder: Path, tiny_model: Path, tree: Tree, times: Times
) -> None:
    before = sorted(folder.rglob("*")), tree(folder), times(folder)
    run("sort", folder, "--recursive", "--model", tiny_model)
    assert tree(folder) != before[1]
    result = run("undo")
    assert result.exit_code == 0
    assert "7 files of run 1 put back." in result.stdout
    assert (sorted(folder.rglob("*")), tree(folder), times(folder)) == before
    again = run("undo")
    assert again.exit_code == 0
    assert "Nothing is left to undo." in again.stdout


def test_a_dry_run_says_the_same_and_changes_nothing(sorted_folder: Path, tree: Tree) -> None:
    before = tree(sorted_folder)
    dry = undone("--dry-run")
    assert tree(sorted_folder) == before
    real = undone()
    assert [o["path"] for o in dry] == [o["path"] for o in real]
    assert {o["outcome"] for o in dry} == {"would-put-back"}
    assert {o["outcome"] for o in real} == {"put-back"}


def test_what_changed_was_moved_or_has_no_place_is_left_alone_and_named(
    sorted_folder: Path, draw: Callable[..., Any], put: Put
) -> None:
    cats = sorted_folder / "cats"
    draw("cats", 999).save(cats / "mia.jpg")  # edited
    (cats / "tom (1).jpg").rename(sorted_folder.parent / "my favourite.jpg")
    put(sorted_folder / "rex.jpg", b"a new rex")
    left = {Path(o["path"]).name: o["reason"] for o in undone() if o["outcome"] == "left"}
    assert left == {"mia.jpg": "changed", "tom (1).jpg": "moved", "rex.jpg": "place-taken"}
    assert (sorted_folder / "rex.jpg").read_bytes() == b"a new rex"
    assert (sorted_folder / "dogs" / "rex.jpg").exists()
    assert (cats / "tom (1).mov").exists()  # its photo is not here: it stays with the others
    assert (sorted_folder / "tom.jpg.json").exists()


def test_a_photo_put_in_the_others_place_by_name_and_time_is_not_it(
    sorted_folder: Path, put: Put
) -> None:
    """Another size is another file, whatever its time."""
    mia = sorted_folder / "cats" / "mia.jpg"
    time = mia.stat().st_mtime_ns
    put(mia, b"someone else")
    os.utime(mia, ns=(time, time))
    assert "mia.jpg" in {Path(o["path"]).name for o in undone() if o["reason"] == "changed"}
    assert mia.read_bytes() == b"someone else"


def test_sidecars_come_back_as_they_are_now(sorted_folder: Path, put: Put) -> None:
    """Programs write to them, and put new ones beside the photo."""
    put(sorted_folder / "cats" / "tom.xmp", b"more about tom")
    put(sorted_folder / "cats" / "tom (1).jpg.xmp", b"from darktable")
    undone()
    assert (sorted_folder / "tom.xmp").read_bytes() == b"more about tom"
    assert (sorted_folder / "trip" / "tom.jpg.xmp").read_bytes() == b"from darktable"
    assert not (sorted_folder / "cats").exists()


def test_photos_are_named_by_where_they_are_or_were(sorted_folder: Path, tree: Tree) -> None:
    assert len(undone(sorted_folder / "cats" / "tom.jpg")) == 3
    assert (sorted_folder / "tom.xmp").exists()
    assert len(undone(sorted_folder / "rex.jpg")) == 1
    assert (sorted_folder / "rex.jpg").exists()
    assert len([name for name in tree(sorted_folder) if "cats/" in name]) == 3
    nowhere = run("undo", sorted_folder / "never.jpg")
    assert nowhere.exit_code == 2
    assert "None of these was moved" in nowhere.stderr


def test_the_last_photos_and_those_since_a_time(
    sorted_folder: Path, tiny_model: Path, draw: Callable[..., Any], store: Store
) -> None:
    draw("dogs", 310).save(sorted_folder / "fido.jpg")
    with store.writing() as db:
        db.execute("UPDATE moves SET at = at - 7200")
    run("sort", sorted_folder, "--model", tiny_model)
    assert [Path(o["path"]).name for o in undone("--since", "1h", "--dry-run")] == ["fido.jpg"]
    names = [Path(o["path"]).name for o in undone("--last", 2)]
    assert names == ["fido.jpg", "tom (1).jpg", "tom (1).mov"]
    assert (sorted_folder / "fido.jpg").exists()
    bad = run("undo", "--since", "yesterday-ish")
    assert bad.exit_code == 2
    assert "is no time" in bad.stderr


def test_without_a_run_the_newest_and_never_silently_an_older_one(
    sorted_folder: Path, tiny_model: Path, draw: Callable[..., Any], tree: Tree
) -> None:
    """Nothing of it can be put back: then that is said, and what to do."""
    draw("dogs", 310).save(sorted_folder / "fido.jpg")
    run("sort", sorted_folder, "--model", tiny_model)
    fido = sorted_folder / "dogs" / "fido.jpg"
    draw("dogs", 311).save(fido)
    before = tree(sorted_folder)
    for _ in range(2):
        result = run("undo")
        assert result.exit_code == 0
        assert f"{fido}: left alone, it has changed since; move it to " in result.stdout
        assert "0 files of run 2 put back, 1 left alone" in result.stdout
        assert "`catdog undo 1` takes back the run before." in result.stdout
    assert tree(sorted_folder) == before
    assert "7 files of run 1 put back." in run("undo", "1").stdout


def tag(photo: Path, place: str) -> None:
    """Write a tag as programs do: other bytes, another size, the same pixels."""
    content = photo.read_bytes()
    comment = place.encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    photo.write_bytes(content[:2] + segment + content[2:])


def test_what_was_touched_or_tagged_is_known_again(sorted_folder: Path, tree: Tree) -> None:
    cats = sorted_folder / "cats"
    os.utime(cats / "tom.jpg", (1_700_000_000, 1_700_000_000))
    tag(cats / "mia.jpg", "on the sofa")
    tagged = (cats / "mia.jpg").read_bytes()
    assert {o["outcome"] for o in undone()} == {"put-back"}
    assert (sorted_folder / "mia.jpg").read_bytes() == tagged
    assert int((sorted_folder / "tom.jpg").stat().st_mtime) == 1_700_000_000
    assert not cats.exists()


def test_a_copy_that_was_touched_is_removed_and_one_that_was_tagged_is_not(
    folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    into = tmp_path / "sorted"
    run("sort", folder, "--copy", "--into", into, "--model", tiny_model)
    os.utime(into / "cats" / "tom.jpg", (1_700_000_000, 1_700_000_000))
    tag(into / "cats" / "mia.jpg", "on the sofa")
    left = {Path(o["path"]).name: o["reason"] for o in undone() if o["outcome"] == "left"}
    assert left == {"mia.jpg": "changed"}


@pytest.mark.parametrize("new", ["Katzen", "2026/all my cats"])
def test_photos_are_found_in_a_class_folder_that_has_another_name(
    sorted_folder: Path, new: str, tree: Tree
) -> None:
    (sorted_folder / new).parent.mkdir(exist_ok=True)
    (sorted_folder / "cats").rename(sorted_folder / new)
    os.utime(sorted_folder / new / "mia.jpg", (1_700_000_000, 1_700_000_000))
    assert {o["outcome"] for o in undone()} == {"put-back"}
    assert {"tom.jpg", "tom.xmp", "tom.jpg.json", "trip/tom.mov", "mia.jpg"} <= set(
        tree(sorted_folder)
    )


def test_what_a_person_has_put_into_another_class_stays_there(sorted_folder: Path) -> None:
    """Even if the folder that it was in is gone: that was on purpose."""
    (sorted_folder / "cats" / "mia.jpg").rename(sorted_folder / "dogs" / "mia.jpg")
    shutil.rmtree(sorted_folder / "cats")
    left = {Path(o["path"]).name: o["reason"] for o in undone() if o["outcome"] == "left"}
    assert left["mia.jpg"] == "moved"
    assert (sorted_folder / "dogs" / "mia.jpg").exists()


def test_a_folder_is_named_by_what_it_is_or_was(sorted_folder: Path, tree: Tree) -> None:
    assert [Path(o["path"]).name for o in undone(sorted_folder / "dogs")] == ["rex.jpg"]
    assert [Path(o["original"]).name for o in undone(sorted_folder / "trip")] == [
        "tom.jpg", "tom.mov",
    ]  # fmt: skip
    (sorted_folder / "cats").rename(sorted_folder / "Katzen")
    names = [Path(o["path"]).name for o in undone(sorted_folder / "Katzen")]
    assert sorted(names) == ["mia.jpg", "tom.jpg", "tom.jpg.json", "tom.xmp"]
    assert tree(sorted_folder / "Katzen") == {}


def test_a_run_by_its_number_and_never_an_undo(sorted_folder: Path) -> None:
    assert "7 files of run 1" in run("undo", "1").stdout
    assert "is an undo itself" in run("undo", "2").stderr
    assert run("undo", "2").exit_code == 2
    assert "There is no run 77" in run("undo", "77").stderr


def test_copies_are_removed_only_while_the_original_stands_with_the_same_bytes(
    folder: Path, tiny_model: Path, tmp_path: Path, tree: Tree, draw: Callable[..., Any]
) -> None:
    before = tree(folder)
    run("sort", folder, "--copy", "--into", tmp_path / "sorted", "--model", tiny_model)
    assert len(tree(tmp_path / "sorted")) == 5
    (folder / "mia.jpg").unlink()
    draw("dogs", 999).save(folder / "rex.jpg")
    left = {Path(o["path"]).name: o["reason"] for o in undone() if o["outcome"] == "left"}
    assert left == {"mia.jpg": "original-gone", "rex.jpg": "original-gone"}
    assert set(tree(tmp_path / "sorted")) == {"cats/mia.jpg", "dogs/rex.jpg"}
    assert {n: b for n, b in tree(folder).items() if "rex" not in n} == {
        n: b for n, b in before.items() if "rex" not in n and n != "mia.jpg"
    }


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_back_from_another_file_system(
    folder: Path, tiny_model: Path, tree: Tree, times: Times, tmp_path: Path
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == folder.stat().st_dev:
            pytest.skip("/dev/shm is the same file system")
        (folder / "tom.jpg").chmod(0o640)
        before = tree(folder), times(folder)
        run("sort", folder, "--recursive", "--into", other, "--model", tiny_model)
        assert len(tree(Path(other))) == 7
        undone()
        assert (tree(folder), times(folder)) == before
        assert (folder / "tom.jpg").stat().st_mode & 0o777 == 0o640
        assert tree(Path(other)) == {}


def test_a_folder_that_is_gone_is_made_again_but_not_if_its_disk_is(
    sorted_folder: Path, tmp_path: Path, tiny_model: Path, draw: Callable[..., Any], store: Store
) -> None:
    """Else photos would lie in the folder below a mount point."""
    shutil.rmtree(sorted_folder / "trip")
    undone()
    assert (sorted_folder / "trip" / "tom.jpg").exists()
    inbox = tmp_path / "stick"
    inbox.mkdir()
    draw("cats", 311).save(inbox / "sue.jpg")
    run("sort", inbox, "--into", tmp_path / "sorted", "--model", tiny_model)
    inbox.rmdir()
    with store.writing() as db:
        (device,) = db.execute("SELECT dev FROM moves WHERE run = 3").fetchone()
        db.execute("UPDATE moves SET dev = '987654321' WHERE run = 3")
    assert [o["reason"] for o in undone()] == ["folder-gone"]
    assert (tmp_path / "sorted" / "cats" / "sue.jpg").exists()
    with store.writing() as db:
        db.execute("UPDATE moves SET dev = ? WHERE run = 3", (device,))
    assert [o["outcome"] for o in undone()] == ["put-back"]
    assert (inbox / "sue.jpg").exists()


def test_a_folder_that_was_there_before_stays(folder: Path, tiny_model: Path, tree: Tree) -> None:
    (folder / "cats").mkdir()
    run("sort", folder, "--model", tiny_model)
    undone()
    assert (folder / "cats").is_dir()
    assert not (folder / "dogs").exists()


def test_history_tells_runs_and_what_each_did(sorted_folder: Path, store: Store) -> None:
    (sorted_folder / "cats" / "mia.jpg").unlink()
    undone()
    listed = run("history").stdout.splitlines()
    assert len(listed) == 2
    assert "undo of 1     6 put back" in listed[0]
    assert "1 in place, 6 undone" in listed[1]
    assert str(sorted_folder) in listed[1]
    detail = run("history", "1").stdout
    assert f"{sorted_folder / 'mia.jpg'} -> {sorted_folder / 'cats' / 'mia.jpg'}: cat, " in detail
    assert detail.count("(undone)") == 6
    moves = [json.loads(line) for line in run("history", "1", "--json").stdout.splitlines()]
    assert {move["state"] for move in moves} == {"done", "undone"}
    groups = {Path(move["source"]).name: move["group"] for move in moves}
    assert groups["tom.xmp"] == groups["tom.jpg.json"]
    (newest, first) = (json.loads(line) for line in run("history", "--json").stdout.splitlines())
    assert (newest["command"], first["command"]) == ("undo", "sort")
    assert first["options"]["recursive"] is True
    assert run("history", "9").exit_code == 2
    assert all(summary.run.ended is not None for summary in runs(store))


def test_an_empty_history_says_so() -> None:
    assert "Nothing was moved yet." in run("history").stdout
    assert "Nothing is left to undo." in run("undo").stdout


def test_what_the_system_refuses_is_said_and_the_photo_stays_where_it_was_put(
    sorted_folder: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(sorted_folder)

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(transfer, "rename_no_replace", refuse)
    result = run("undo")
    assert result.exit_code == 1
    assert "Failed (no-permission): " in result.stdout
    assert tree(sorted_folder) == before
    monkeypatch.undo()


def test_what_another_undo_or_the_person_is_quicker_with_is_no_failure(
    sorted_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the plan and the move: the photo goes, changes, or its place is taken."""

    def quicker(run: Any, group: Any, still_seconds: float) -> None:
        photo = group[0]
        if photo.source.name == "mia.jpg":
            photo.source.unlink()
        elif photo.source.name == "rex.jpg":
            photo.source.write_bytes(b"edited just now")
        elif photo.destination.name == "tom.jpg" and photo.destination.parent.name != "trip":
            photo.destination.write_bytes(b"a new tom")
        move_group(run, group, still_seconds)

    monkeypatch.setattr(undo_module, "move_group", quicker)
    left = {Path(o["path"]).name: o["reason"] for o in undone() if o["outcome"] == "left"}
    assert left == {"mia.jpg": "moved", "rex.jpg": "changed", "tom.jpg": "place-taken"}
    assert (sorted_folder / "tom.jpg").read_bytes() == b"a new tom"
    assert (sorted_folder / "cats" / "tom.xmp").exists()
    assert (sorted_folder / "trip" / "tom.mov").exists()


def test_an_undo_that_is_stopped_leaves_the_rest_where_it_is_and_goes_on_later(
    sorted_folder: Path, store: Store, tree: Tree
) -> None:
    outcomes = put_back(store, groups_of(store), dry_run=False)
    next(outcomes)
    outcomes.close()
    assert len([name for name in tree(sorted_folder) if "cats/" in name or "dogs/" in name]) > 3
    assert [run.run.ended is not None for run in runs(store)] == [True, True]
    undone()
    assert not (sorted_folder / "cats").exists()


def test_times_come_back_from_a_file_system_that_keeps_coarser_ones(
    folder: Path, tiny_model: Path, store: Store, times: Times
) -> None:
    """FAT keeps two seconds: what the journal saw there decides whether it changed."""
    before = times(folder)
    run("sort", folder, "--recursive", "--model", tiny_model)
    with store.writing() as db:
        for name in ("tom.jpg", "tom.xmp"):
            coarse = folder / "cats" / name
            seconds = coarse.stat().st_mtime_ns // 2_000_000_000 * 2
            os.utime(coarse, (seconds, seconds))
            db.execute(
                "UPDATE moves SET filed_mtime_ns = ? WHERE dst = ?",
                (seconds * 10**9, os.fsencode(coarse)),
            )
    assert {o["outcome"] for o in undone()} == {"put-back"}
    assert times(folder) == before


def test_undo_does_not_take_back_what_an_undo_did(sorted_folder: Path, put: Put) -> None:
    """A new sidecar went back with its photo: the next undo must not tear it off again."""
    put(sorted_folder / "cats" / "mia.jpg.xmp", b"new notes")
    undone()
    assert (sorted_folder / "mia.jpg.xmp").exists()
    assert undone("--last", 1) == []
    assert undone("--since", "1h") == []
    assert (sorted_folder / "mia.jpg.xmp").exists()


def test_a_run_that_only_sent_a_late_sidecar_gives_back_only_that(
    sorted_folder: Path, tiny_model: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_sidecars, "PATIENCE_SECONDS", 0.0)
    put(sorted_folder / "mia.xmp", b"late")
    run("sort", sorted_folder, "--model", tiny_model)
    assert [Path(o["path"]).name for o in undone("2")] == ["mia.xmp"]
    assert (sorted_folder / "cats" / "mia.jpg").exists()
    assert (sorted_folder / "mia.xmp").exists()


def test_what_stood_there_before_is_not_dragged_along(
    sorted_folder: Path, put: Put, store: Store
) -> None:
    """A film of the same name, notes from before the photo came, a link."""
    cats = sorted_folder / "cats"
    put(cats / "mia.mov", b"the person's own film")
    put(cats / "mia.xmp", b"the person's own notes")
    (cats / "tom.xmp").unlink()
    (cats / "tom.xmp").symlink_to(cats / "mia.xmp")
    with store.writing() as db:
        db.execute("UPDATE moves SET at = at + 60")
    undone()
    assert {path.name for path in cats.iterdir()} == {"mia.mov", "mia.xmp", "tom.xmp"}


def test_numbers_and_times_out_of_any_range_are_refused() -> None:
    for arguments in (("undo", "9" * 20), ("undo", "²"), ("history", "9" * 20)):
        assert run(*arguments).exit_code == 2, arguments
    for time in ("²h", "9" * 20 + "d", "99999-01-01"):
        assert run("undo", "--since", time).exit_code == 2, time
    assert run("undo", "--since", "999999d").exit_code == 0


def test_photos_that_share_a_sidecar_all_come_back(
    tmp_path: Path, draw: Callable[..., Any], put: Put, tree: Tree, tiny_model: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    draw("cats", 300).save(folder / "tom.jpg")
    draw("cats", 301).save(folder / "tom.png")
    put(folder / "tom.xmp", b"about tom")
    before = tree(folder)
    run("sort", folder, "--model", tiny_model)
    assert {one["outcome"] for one in undone()} == {"put-back"}
    assert tree(folder) == before


def test_a_class_folder_that_is_renamed_and_made_anew_is_known(
    sorted_folder: Path, draw: Callable[..., Any], tiny_model: Path, tree: Tree
) -> None:
    """Whether the run is named, or the folder; a photo that was tagged meanwhile included."""
    (sorted_folder / "cats").rename(sorted_folder / "kitties")
    with (sorted_folder / "kitties" / "mia.jpg").open("ab") as photo:
        photo.write(b"a tag")
    draw("cats", 310).save(sorted_folder / "new.jpg")
    run("sort", sorted_folder, "--model", tiny_model)
    assert (sorted_folder / "cats" / "new.jpg").exists()
    back = undone(sorted_folder / "kitties", "--dry-run")
    assert {Path(one["original"]).name for one in back if one["reason"] is None} >= {
        "tom.jpg",
        "mia.jpg",
    }
    assert {one["outcome"] for one in undone("1")} == {"put-back"}
    assert {"tom.jpg", "mia.jpg", "rex.jpg", "trip/tom.jpg"} <= tree(sorted_folder).keys()
    assert (sorted_folder / "cats" / "new.jpg").exists()


def test_a_photo_that_only_got_an_orientation_is_known_again(sorted_folder: Path) -> None:
    photo = sorted_folder / "cats" / "mia.jpg"
    with Image.open(photo) as image:
        exif = image.getexif()
        exif[0x0112] = 6  # a quarter turn
    content = photo.read_bytes()
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2) + block
    photo.write_bytes(content[:2] + segment + content[2:])
    assert {one["outcome"] for one in undone()} == {"put-back"}


def test_a_folder_is_named_by_a_link_to_it(sorted_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(sorted_folder)
    (tmp_path / "circle").symlink_to("circle")
    assert run("undo", tmp_path / "circle").exit_code == 2
    assert len(undone(tmp_path / "link")) == 7


def test_nothing_goes_back_into_an_empty_mount_point(
    tmp_path: Path, draw: Callable[..., Any], tiny_model: Path
) -> None:
    card = tmp_path / "card"
    card.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "tmpfs", str(card)], capture_output=True
        ).returncode
    ):
        pytest.skip("file systems cannot be mounted here")
    try:
        draw("cats", 300).save(card / "tom.jpg")
        run("sort", card, "--into", tmp_path / "sorted", "--model", tiny_model)
    finally:
        subprocess.run(["umount", str(card)], check=True)
    result = run("undo", "--json")
    assert json.loads(result.stdout.splitlines()[0])["reason"] == "folder-gone"
    assert list(card.iterdir()) == []
    assert (tmp_path / "sorted" / "cats" / "tom.jpg").exists()
