"""How a daemon does, for the service manager, by systemd's sd_notify protocol."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


class ServiceManager:
    """The service manager that started this process; where there is none, nothing is sent."""

    def __init__(
        self,
        address: str | None,
        watchdog: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`watchdog` is how long it waits for a sign of life, in seconds."""
        self._address = address
        self._every = None if watchdog is None else watchdog / 2
        self._clock = clock
        self._next = clock()

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> ServiceManager:
        """Find it in the variables that systemd sets; `environ` may be empty."""
        address = environ.get("NOTIFY_SOCKET", "")
        if address.startswith("@"):
            address = "\0" + address[1:]
        elif not address.startswith("/"):
            return cls(None, None, clock=clock)
        return cls(address, _watchdog(environ), clock=clock)

    def ready(self) -> None:
        """Report that the start is over."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Report in a line what is being done; `systemctl status` shows it."""
        self._send("STATUS=" + " ".join(text.splitlines()))

    def alive(self) -> None:
        """Send a sign of life if one is due; it may be called as often as wanted."""
        if self._every is not None and self._clock() >= self._next and self._send("WATCHDOG=1"):
            self._next = self._clock() + self._every

    def stopping(self) -> None:
        """Report that the end has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> bool:
        if self._address is None or sys.platform == "win32":
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)  # photos do not wait for a manager that hangs
                sender.sendto(message.encode("utf-8", "backslashreplace"), self._address)
        except OSError as error:
            log.debug("the service manager did not receive %s: %s", message, error)
            return False
        return True


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Read how long, in seconds, systemd waits for this very process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None
