"""What systemd receives, over a real socket of the kind that it listens on."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runtime.sd_notify import ServiceManager

needs_sockets = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")


class Systemd:
    """The other end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def received(self) -> list[str]:
        """Give what has come since the last time: datagrams are there once they are sent."""
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self) -> None:
        self._socket.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def address() -> Iterator[str]:
    """A path short enough for a socket, which tmp_path may not be."""
    with tempfile.TemporaryDirectory(prefix="cd-") as folder:
        yield str(Path(folder) / "notify")


@pytest.fixture
def systemd(address: str) -> Iterator[Systemd]:
    systemd = Systemd(address)
    yield systemd
    systemd.close()


@needs_sockets
def test_a_service_tells_how_it_does(systemd: Systemd, address: str) -> None:
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": address})
    manager.ready()
    manager.status("3 filed,\n1 waiting")
    manager.stopping()
    assert systemd.received() == ["READY=1", "STATUS=3 filed, 1 waiting", "STOPPING=1"]


@needs_sockets
def test_a_name_that_is_no_utf8_is_sent_all_the_same(systemd: Systemd, address: str) -> None:
    ServiceManager.from_environment({"NOTIFY_SOCKET": address}).status("tom\udcff.jpg")
    assert systemd.received() == ["STATUS=tom\\udcff.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_begins_with_an_at() -> None:
    name = f"catdog-test-{os.getpid()}"
    systemd = Systemd(f"\0{name}")
    ServiceManager.from_environment({"NOTIFY_SOCKET": f"@{name}"}).ready()
    received = systemd.received()
    systemd.close()
    assert received == ["READY=1"]


@needs_sockets
def test_a_sign_of_life_is_given_every_half_of_what_is_waited(
    systemd: Systemd, address: str
) -> None:
    clock = Clock()
    environ = {
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    manager = ServiceManager.from_environment(environ, clock=clock)
    counts = []
    for clock.now in (1000.0, 1000.2, 1029.9, 1030.0, 1059.9, 1060.1):
        manager.alive()
        counts.append(len(systemd.received()))
    assert counts == [1, 0, 0, 1, 0, 1]


@needs_sockets
@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"},  # another process's
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
    ],
)
def test_no_sign_of_life_where_none_is_waited_for(
    systemd: Systemd, address: str, watchdog: dict[str, str]
) -> None:
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": address, **watchdog})
    manager.alive()
    manager.ready()
    assert systemd.received() == ["READY=1"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:3"}])
def test_nothing_is_sent_where_nobody_listens(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    manager = ServiceManager.from_environment({**environ, "WATCHDOG_USEC": "1000"})
    manager.ready()
    manager.status("well")
    manager.alive()
    manager.stopping()


@needs_sockets
def test_a_manager_that_is_gone_ends_nothing_and_is_tried_again(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A sign of life that did not get through is still due."""
    caplog.set_level(logging.DEBUG, "core.runtime.sd_notify")
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}
    manager = ServiceManager.from_environment(environ, clock=Clock())
    manager.alive()
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    systemd = Systemd(address)
    manager.alive()
    received = systemd.received()
    systemd.close()
    assert received == ["WATCHDOG=1"]


@needs_sockets
def test_a_manager_that_hangs_is_not_waited_for(systemd: Systemd, address: str) -> None:
    """Its queue is full: the test would hang here if the socket blocked."""
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": address})
    for number in range(5000):
        manager.status(f"{number} filed")
    assert 0 < len(systemd.received()) < 5000
