"""What could go wrong is found before it does: each check where it fires, and where all is well."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from catdog import doctor
from core.commands.options import Settings
from core.findings import Finding, Severity
from sorter.doctor import checks as doctor_module
from sorter.doctor import survey as survey_module
from sorter.doctor.checks import examine
from sorter.moving.filesystem import FileSystem
from sorter.watching.events import FolderEvents

Put = Callable[[Path, bytes], Path]
CHECKS = [
    "folder", "file system", "destination", "renaming", "case of names", "permissions",
    "folder events", "space", "clock", "journal",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _ordinary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that nothing is wrong with, whatever the tests run on."""
    on(monkeypatch, {})
    monkeypatch.setattr(doctor_module, "ignores_case", lambda folder: False)
    has_free(monkeypatch, {})


def on(
    monkeypatch: pytest.MonkeyPatch, kinds: dict[Path, str], *, silent: tuple[str, ...] = ()
) -> None:
    """Have file systems of these kinds mounted at these folders, and ext4 elsewhere."""

    def file_system_of(path: Path) -> FileSystem:
        for folder, kind in kinds.items():
            if path.is_relative_to(folder):
                return FileSystem(kind, folder, reports_changes=kind not in silent)
        return FileSystem("ext4", Path(path.anchor), reports_changes=True)

    monkeypatch.setattr(survey_module, "file_system_of", file_system_of)


def has_free(monkeypatch: pytest.MonkeyPatch, free: dict[Path, int]) -> None:
    """Have so many bytes free in these folders, and 50 GB elsewhere."""

    def disk_usage(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free.get(path, 50 * 10**9))

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)


@pytest.fixture
def folder(tmp_path: Path, put: Put) -> Path:
    """Two photos, one of them in a subfolder, and a film."""
    put(tmp_path / "inbox" / "tom.jpg", b"0123456789")
    put(tmp_path / "inbox" / "trip" / "rex.jpg", b"0123456789")
    put(tmp_path / "inbox" / "film.mov", b"0123456789")
    return tmp_path / "inbox"


def found(folder: Path, into: Path | None = None, **options: object) -> dict[str, Finding]:
    state_dir = folder.parent / "state"
    findings = examine(folder, into or folder, state_dir, **options)  # type: ignore[arg-type]
    return {finding.check: finding for finding in findings}


def only_trouble(findings: dict[str, Finding]) -> Finding:
    (finding,) = (one for one in findings.values() if one.severity is not Severity.OK)
    return finding


def test_a_good_folder_is_well_and_every_check_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    before = sorted(folder.parent.rglob("*"))
    findings = found(folder)
    assert list(findings) == CHECKS
    assert {finding.severity for finding in findings.values()} == {Severity.OK}
    assert "holds 1 photo" in findings["folder"].message
    assert "holds 2 photos" in found(folder, recursive=True)["folder"].message
    assert sorted(folder.parent.rglob("*")) == before
    (folder / "raw.dng").write_bytes(b"a raw photo takes room, too")
    assert "holds 2 photos" in found(folder)["folder"].message


def test_nothing_of_this_is_invented(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the machine as it is, too, a folder in good order has no errors."""
    monkeypatch.undo()
    errors = [one for one in found(folder).values() if one.severity is Severity.ERROR]
    assert errors == []


@pytest.mark.parametrize("name", ["gone", "tom.jpg"])
def test_a_folder_that_cannot_be_listed_is_the_only_finding(folder: Path, name: str) -> None:
    findings = found(folder / name)
    assert list(findings) == ["folder"]
    finding = findings["folder"]
    assert finding.severity is Severity.ERROR
    assert name in finding.message
    assert "Name a folder that is there" in finding.message


def test_a_name_is_shown_without_its_control_characters(folder: Path) -> None:
    assert "\\x1b[31m" in found(folder / "\x1b[31m")["folder"].message


def test_a_silent_file_system_is_polled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, {folder: "nfs4"}, silent=("nfs4",))
    findings = found(folder)
    assert findings["file system"].severity is Severity.WARNING
    assert "nfs4" in findings["file system"].message
    assert "polls" in findings["file system"].message
    assert "folder events" not in findings


@pytest.mark.parametrize("kind", ["vfat", "exfat", "FAT32", "msdos"])
def test_fat_keeps_coarse_times_and_has_no_hard_links(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    on(monkeypatch, {folder: kind})
    findings = found(folder)
    assert findings["file system"].severity is Severity.WARNING
    assert "--settle" in findings["file system"].message
    assert findings["renaming"].severity is Severity.WARNING
    assert f"{kind} has no hard links" in findings["renaming"].message


@pytest.mark.parametrize("kind", ["fuse.sshfs", ""])
def test_what_cannot_be_known_of_hard_links_is_not_promised(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    on(monkeypatch, {folder: kind}, silent=("fuse.sshfs",))
    finding = found(folder)["renaming"]
    assert finding.severity is Severity.WARNING
    assert "may have no hard links" in finding.message


def test_windows_never_renames_over_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    on(monkeypatch, {folder: "exFAT"})
    findings = found(folder)
    assert findings["renaming"].severity is Severity.OK
    assert "folder events" not in findings


def test_another_file_system_means_copies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into = folder.parent / "sorted"
    assert found(folder, into)["destination"].severity is Severity.OK
    on(monkeypatch, {into: "btrfs"})
    finding = only_trouble(found(folder, into))
    assert (finding.check, finding.severity) == ("destination", Severity.WARNING)
    assert "btrfs" in finding.message
    assert "copied" in finding.message


def test_parts_of_one_file_system_mean_copies_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subvolumes of btrfs: one mount, and yet no rename between them."""
    into = folder.parent / "subvolume"
    monkeypatch.setattr(survey_module, "_device", lambda path: hash(path))
    assert only_trouble(found(folder, into)).check == "destination"


def test_a_destination_that_is_a_file_is_an_error(folder: Path) -> None:
    finding = only_trouble(found(folder, folder / "film.mov"))
    assert (finding.check, finding.severity) == ("destination", Severity.ERROR)
    assert "--into" in finding.message


def test_names_that_differ_in_case_alone_cannot_stand_side_by_side_everywhere(
    folder: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = folder.parent / "sorted"
    monkeypatch.setattr(doctor_module, "ignores_case", lambda where: where == into)
    put(folder / "trip" / "tom.jpg", b"x")  # the same name is another matter
    assert found(folder, into, recursive=True)["case of names"].severity is Severity.OK
    put(folder / "deep" / "TOM.jpg", b"x")  # in another folder, so that any system takes it
    assert found(folder, into)["case of names"].severity is Severity.OK
    finding = only_trouble(found(folder, into, recursive=True))
    assert (finding.check, finding.severity) == ("case of names", Severity.WARNING)
    assert "tom.jpg" in finding.message
    assert "TOM.jpg" in finding.message
    assert found(folder, recursive=True)["case of names"].severity is Severity.OK


@pytest.mark.parametrize(
    ("ignored", "words"), [(None, "cannot be seen"), (True, "does not matter"), (False, "matters")]
)
def test_that_case_does_not_matter_is_no_trouble_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch, ignored: bool | None, words: str
) -> None:
    monkeypatch.setattr(doctor_module, "ignores_case", lambda where: ignored)
    finding = found(folder)["case of names"]
    assert finding.severity is Severity.OK
    assert words in finding.message


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Have the system refuse a kind of access to one path; root is refused nothing for real."""

    def closed(path: Path, mode: int) -> None:
        monkeypatch.setattr(os, "access", lambda asked, wanted: asked != path or not wanted & mode)

    return closed


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [
        ("inbox", os.W_OK, "take photos out of"),
        ("inbox", os.R_OK, "take photos out of"),
        ("sorted", os.W_OK, "file photos in"),
        ("state", os.W_OK, "keep the journal in"),
    ],
)
def test_a_folder_that_may_not_be_used_is_an_error(
    folder: Path, closed: Callable[[Path, int], None], name: str, mode: int, words: str
) -> None:
    for other in ("sorted", "state"):
        (folder.parent / other).mkdir()
    closed(folder.parent / name, mode)
    finding = only_trouble(found(folder, folder.parent / "sorted"))
    assert (finding.check, finding.severity) == ("permissions", Severity.ERROR)
    assert f"{words} {folder.parent / name}" in finding.message


def test_a_destination_to_come_is_judged_by_the_folder_above(
    folder: Path, closed: Callable[[Path, int], None]
) -> None:
    closed(folder.parent, os.W_OK)
    finding = only_trouble(found(folder, folder.parent / "to" / "come"))
    assert f"file photos in {folder.parent}." in finding.message


def test_photos_that_may_not_be_read_are_counted(
    folder: Path, closed: Callable[[Path, int], None]
) -> None:
    closed(folder / "trip" / "rex.jpg", os.R_OK)
    assert found(folder)["permissions"].severity is Severity.OK
    finding = only_trouble(found(folder, recursive=True))
    assert (finding.check, finding.severity) == ("permissions", Severity.WARNING)
    assert "1 photo, such as " in finding.message
    assert "rex.jpg" in finding.message


@pytest.mark.parametrize(
    ("number", "limit"),
    [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")],
)
@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_inotifys_limits_are_named_with_the_command_that_raises_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, limit: str
) -> None:
    """Reached for the subfolder, which only a recursive watcher needs."""

    def listen(self: FolderEvents) -> None:
        if self._recursive:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(FolderEvents, "listen", listen)
    allowed = int(Path(f"/proc/sys/fs/inotify/{limit}").read_text())
    finding = only_trouble(found(folder, recursive=True))
    assert (finding.check, finding.severity) == ("folder events", Severity.WARNING)
    assert f"sudo sysctl fs.inotify.{limit}={2 * allowed}`" in finding.message
    assert found(folder)["folder events"].severity is Severity.OK


def test_space_is_needed_only_where_photos_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = folder.parent / "sorted"
    has_free(monkeypatch, {folder.parent: 10 * 10**6, into: 19, folder: 19})
    into.mkdir()
    (folder.parent / "state").mkdir()
    assert found(folder, recursive=True)["space"].severity is Severity.OK
    on(monkeypatch, {into: "ext4"})
    assert found(folder, into)["space"].severity is Severity.OK  # one photo of 10 bytes
    finding = found(folder, into, recursive=True)["space"]
    assert finding.severity is Severity.ERROR
    assert "Make room" in finding.message


def test_little_space_for_the_journal_is_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_free(monkeypatch, {folder.parent: 99 * 10**6})  # the state folder is not there yet
    finding = only_trouble(found(folder))
    assert (finding.check, finding.severity) == ("space", Severity.WARNING)
    assert "99 MB" in finding.message
    assert "CATDOG_STATE_DIR" in finding.message


def test_a_clock_that_was_never_set_is_an_error(folder: Path) -> None:
    finding = only_trouble(found(folder, now=lambda: 500 * 86400.0))
    assert (finding.check, finding.severity) == ("clock", Severity.ERROR)
    assert "it shows 1971-" in finding.message


def test_photos_from_the_future_are_counted(folder: Path) -> None:
    now = time.time()
    os.utime(folder / "tom.jpg", (now + 59, now + 59))
    assert found(folder, now=lambda: now)["clock"].severity is Severity.OK
    os.utime(folder / "tom.jpg", (now + 61, now + 61))
    finding = only_trouble(found(folder, recursive=True, now=lambda: now))
    assert (finding.check, finding.severity) == ("clock", Severity.WARNING)
    assert "1 photo changed in the future, such as " in finding.message
    assert "tom.jpg" in finding.message


def test_a_time_that_no_calendar_has_is_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems keep such."""
    photos = (survey_module.Photo(folder / "tom.jpg", 10, 1e18),)
    monkeypatch.setattr(survey_module, "_photos", lambda *_, **__: photos)
    assert "a time no calendar has" in found(folder)["clock"].message


def test_a_journal_on_a_network_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, {folder.parent / "state": "cifs"}, silent=("cifs",))
    finding = only_trouble(found(folder))
    assert (finding.check, finding.severity) == ("journal", Severity.WARNING)
    assert "cifs" in finding.message
    assert "CATDOG_STATE_DIR" in finding.message


def run(folder: Path, *arguments: object) -> Result:
    settings = Settings(folder.parent / "models", folder.parent / "state")
    return CliRunner().invoke(doctor, [str(folder), *map(str, arguments)], obj=settings)


def test_the_command_prints_a_line_a_finding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, {folder: "nfs4"}, silent=("nfs4",))
    result = run(folder, "--recursive")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0  # warnings are no errors
    assert lines[0] == f"ok       folder: {folder} holds 2 photos"
    assert lines[1].startswith("warning  file system: nfs4 does not tell")
    assert [line[9:].partition(":")[0] for line in lines] == [
        check for check in CHECKS if check != "folder events"
    ]


def test_an_error_ends_the_command_with_1(folder: Path) -> None:
    result = run(folder, "--into", folder / "film.mov")
    assert result.exit_code == 1
    assert f"error    destination: {folder / 'film.mov'} is not a folder." in result.stdout


def test_json_has_one_object_a_finding(folder: Path) -> None:
    result = run(folder / "gone", "--json")
    (line,) = result.stdout.splitlines()
    shown = json.loads(line)
    assert result.exit_code == 1
    assert (shown["check"], shown["severity"]) == ("folder", "error")
    assert set(shown) == {"check", "severity", "message"}
