"""watch as a command: what it chooses by itself, and sends to the service manager."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog import main
from sorter.moving import filesystem
from sorter.moving.filesystem import FileSystem
from sorter.watching.watcher import Watcher


@pytest.fixture
def watchers(monkeypatch: pytest.MonkeyPatch) -> list[Watcher]:
    """Have the daemon stop at once, and return the watcher that it made."""
    made: list[Watcher] = []

    def run(self: Watcher, stop: object) -> Iterator[object]:
        made.append(self)
        return iter(())

    monkeypatch.setattr(Watcher, "run", run)
    return made


@pytest.mark.parametrize(
    ("kind", "gives_events", "options", "polls"),
    [
        ("ext4", True, (), False),
        ("ext4", True, ("--poll",), True),
        ("nfs4", False, (), True),
        ("fuse.sshfs", False, (), True),
    ],
)
def test_it_polls_where_changes_give_no_events(
    tmp_path: Path,
    tiny_model: Path,
    watchers: list[Watcher],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    gives_events: bool,
    options: tuple[str, ...],
    polls: bool,
) -> None:
    monkeypatch.setattr(
        filesystem,
        "file_system_of",
        lambda path: FileSystem(kind, path, reports_changes=gives_events),
    )
    result = CliRunner().invoke(
        main, ["watch", str(tmp_path), "--model", str(tiny_model), *options]
    )
    assert result.exit_code == 0, result.output
    assert watchers[0].activity.polling == polls
    assert (f"It is on {kind}, which tells of no changes" in result.stdout) == (not gives_events)
    assert result.stdout.splitlines()[-1] == "Stopped."


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is Linux's")
@pytest.mark.usefixtures("watchers")
def test_the_service_manager_is_notified_that_it_is_ready_and_that_it_stops(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("notify")
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        (tmp_path / "inbox").mkdir()
        CliRunner().invoke(main, ["watch", str(tmp_path / "inbox"), "--model", str(tiny_model)])
        assert manager.recv(99) == b"READY=1"
        assert manager.recv(99) == b"STOPPING=1"
