"""When a file that is being written has settled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sorter.identity import FileIdentity


@dataclass(slots=True)
class _Seen:
    identity: FileIdentity
    since: float


class SettlingFiles:
    """Files that are waited for until size and time of change have been still for a while.

    Times are seconds of a clock that only goes forward, given by the caller.
    """

    def __init__(self, still_for: float) -> None:
        self._still_for = still_for
        self._seen: dict[Path, _Seen] = {}

    def see(self, path: Path, now: float) -> None:
        """Begin to wait for a file, or go on."""
        if path in self._seen:
            return
        identity = FileIdentity.of(path)
        if identity is not None:
            self._seen[path] = _Seen(identity, now)

    def take_settled(self, now: float) -> list[Path]:
        """Give the files that have settled, in the order they were first seen, and forget them.

        Files that are gone are forgotten, too.
        """
        settled: list[Path] = []
        for path, seen in list(self._seen.items()):
            identity = FileIdentity.of(path)
            if identity is None:
                del self._seen[path]
            elif identity != seen.identity:
                seen.identity, seen.since = identity, now
            elif now - seen.since >= self._still_for:
                del self._seen[path]
                settled.append(path)
        return settled
