"""Who may use the page: whoever has its token, from the address that the server gave out."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from core.store.database import Store, to_column

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Access:
    """The address of a review page, and what a request has to show to be answered."""

    host: str  # that is listened on
    port: int
    token: str

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies do not tell ports apart, names do."""
        return f"catdog_review_{self.port}"

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        name = self.host
        if ipaddress.ip_address(self.host).is_unspecified:
            name = _own_address()
        shown = f"[{name}]" if ":" in name else name
        return f"http://{shown}:{self.port}/?token={self.token}"

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def is_own_host(self, header: str) -> bool:
        """Return whether a Host header names this server by an address of this machine.

        A name that somebody else's DNS has brought to this address does not.
        """
        name, _, port = header.rpartition(":")
        if port != str(self.port):
            return False
        return name.strip("[]") in self._names

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Return whether a request was made by the page itself."""
        return origin == f"http://{host}" and self.is_own_host(host)

    @property
    def _names(self) -> set[str]:
        names = {LOOPBACK, "localhost", "::1"}
        if not ipaddress.ip_address(self.host).is_loopback:
            names |= {self.host, socket.gethostname(), *_addresses()}
        return names


def access_for(store: Store, folder: Path, host: str, port: int | None) -> Access:
    """Return a folder's address: the token stays the same, and the port where it is free.

    So a page that was open when catdog was stopped finds it again. Raises StoreUnusable.
    """
    with store.reading() as db:
        row = db.execute(
            "SELECT token, port FROM review_pages WHERE folder = ?", (to_column(folder),)
        ).fetchone()
    token = row["token"] if row else secrets.token_urlsafe(24)
    if port is None:
        port = row["port"] if row and _is_free(host, row["port"]) else 0
    return Access(host, port, token)


def keep_access(store: Store, folder: Path, access: Access) -> None:
    """Remember a folder's address. Raises StoreUnusable."""
    with store.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO review_pages VALUES (?, ?, ?)",
            (to_column(folder), access.token, access.port),
        )


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError:
            return False
    return True


def _addresses() -> set[str]:
    import psutil

    families = (socket.AF_INET, socket.AF_INET6)
    found = (one for all_ in psutil.net_if_addrs().values() for one in all_)
    return {one.address.partition("%")[0] for one in found if one.family in families}


def _own_address() -> str:
    """Return the address by which others in the same network reach this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only chooses an interface
            return str(probe.getsockname()[0])
        except OSError:
            return LOOPBACK
