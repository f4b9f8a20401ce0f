"""When a file that is being written has settled."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sorter.identity import FileIdentity


@dataclass(frozen=True, slots=True)
class _Waiting:
    identity: FileIdentity
    due: float
    has_settled: bool = False  # it only comes again


class SettlingFiles:
    """Files that are waited for until size and time of change have been still for a while.

    Times are seconds of a clock that only goes forward, given by the caller. A file is checked
    twice, at the beginning and once it is due: what is the same then was still in between.
    """

    def __init__(self, still_for: float) -> None:
        self._still_for = still_for
        self._waiting: dict[str, _Waiting] = {}  # by path: strings take a fraction of Paths
        self._settled: dict[str, FileIdentity] = {}

    def __len__(self) -> int:
        """The number of files that are waited for."""
        return len(self._waiting)

    def wait_for(self, path: Path, now: float) -> bool:
        """Begin to wait for a file, or go on; True if it is new, or not what had settled."""
        if str(path) in self._waiting:
            return False
        identity = FileIdentity.of(path)
        if identity is None or self._settled.get(str(path)) == identity:
            return False
        self._settled.pop(str(path), None)
        self._waiting[str(path)] = _Waiting(identity, now + self._still_for)
        return True

    def take_settled(self, now: float, limit: int | None = None) -> list[Path]:
        """Return the files that have settled, in the order that they came, `limit` at most.

        Files that are gone are forgotten. What was returned stays known, and is not returned
        again before it changes, until `forget`.
        """
        settled: list[Path] = []
        for path in [path for path, waiting in self._waiting.items() if waiting.due <= now]:
            identity = FileIdentity.of(Path(path))
            if identity is None:
                del self._waiting[path]
            elif identity != self._waiting[path].identity:
                self._waiting[path] = _Waiting(identity, now + self._still_for)
            else:
                del self._waiting[path]
                self._settled[path] = identity
                settled.append(Path(path))
                if len(settled) == limit:
                    break
        return settled

    def is_settled(self, path: Path, now: float) -> bool:
        """Return whether a file has settled, or is gone; if not, it is waited for.

        One that has settled and is to be returned again later has settled all the same.
        """
        identity, waiting = FileIdentity.of(path), self._waiting.get(str(path))
        if self._settled.get(str(path)) == identity:
            return True
        if waiting is not None and waiting.has_settled and waiting.identity == identity:
            return True
        self.wait_for(path, now)
        return False

    def wait_again(self, path: Path, now: float, seconds: float) -> None:
        """Have a file that has settled returned again a little later, if it is the same then."""
        identity = self._settled.pop(str(path), None)
        if identity is not None:
            self._waiting[str(path)] = _Waiting(identity, now + seconds, has_settled=True)

    def forget(self, path: Path) -> None:
        self._waiting.pop(str(path), None)
        self._settled.pop(str(path), None)

    def forget_missing(self) -> None:
        for path in [path for path in self._settled if not os.path.lexists(path)]:
            del self._settled[path]
