"""When a file that could not be sorted is tried again, and whether its outcome is news."""

from __future__ import annotations

import os
from pathlib import Path

from sorter.identity import FileIdentity
from sorter.moving.completeness import seconds_until_still
from sorter.outcome import FileOutcome, Reason

GROWING_SECONDS = 3.0  # between checks of a photo that is still being written
_FIRST_RETRY_SECONDS = 5.0  # after a failure, then twice as long each time
LONGEST_RETRY_SECONDS = 600.0

TRIED_AGAIN = {
    Reason.BEING_WRITTEN,
    Reason.CHANGED,
    Reason.DISK_FULL,
    Reason.NO_PERMISSION,
    Reason.IO_ERROR,
    Reason.DESTINATION_GONE,
    Reason.INTERRUPTED,
    Reason.INTERNAL_ERROR,
}


class Retries:
    """The files that are tried again: each as it was, why, and how often it has failed so."""

    def __init__(self, still_seconds: float) -> None:
        self._still_seconds = still_seconds
        self._tried: dict[Path, tuple[FileIdentity | None, str | None, int]] = {}

    def note(self, outcome: FileOutcome) -> tuple[float, bool]:
        """Return the seconds until a file is tried again, and whether its outcome is news."""
        identity, reason, tries = self._tried.get(outcome.path, (None, None, 0))
        if outcome.reason == Reason.BEING_WRITTEN:  # no news again, however often it grows
            is_news, tries = reason != outcome.reason, 0
            until_still = seconds_until_still(outcome.path, self._still_seconds)
            seconds = max(GROWING_SECONDS, until_still)
        else:
            is_news = (identity, reason) != (outcome.identity, outcome.reason)
            tries = 0 if is_news else tries + 1
            seconds = min(_FIRST_RETRY_SECONDS * 2**tries, LONGEST_RETRY_SECONDS)
        self._tried[outcome.path] = (outcome.identity, outcome.reason, tries)
        return seconds, is_news

    def forget(self, path: Path) -> None:
        self._tried.pop(path, None)

    def forget_missing(self) -> None:
        self._tried = {path: one for path, one in self._tried.items() if os.path.lexists(path)}
