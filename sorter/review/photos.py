"""The photos of a review: what the model thinks of each, and what came of it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import UnreadableCode
from core.model.verdict import Verdict, VerdictKind


class What(StrEnum):
    """Which photos a review shows."""

    UNSURE = "unsure"
    FILED = "filed"  # those that stand in class folders
    OTHER = "other"  # what is neither, or both
    DUPLICATES = "duplicates"
    ALL = "all"

    def shows(self, verdict: VerdictKind) -> bool:
        """Return whether a photo that is not filed yet and has this verdict is shown."""
        match self:
            case What.UNSURE:
                return verdict is VerdictKind.UNSURE
            case What.OTHER:
                return verdict in (VerdictKind.NEITHER, VerdictKind.BOTH)
            case What.ALL:
                return True
            case _:
                return False


class State(StrEnum):
    """How far a photo of a review is."""

    WAITING = "waiting"  # for a person
    MOVED = "moved"
    LABELLED = "labelled"  # and left where it is
    LEFT = "left"  # by the key for it
    GONE = "gone"  # changed, vanished or moved by somebody else
    REFUSED = "refused"  # it could not be moved


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a review."""

    path: Path  # where it was found
    size: int  # bytes
    mtime_ns: int
    sha256: str | None
    verdict: Verdict | None  # None: it could not be read
    unreadable: UnreadableCode | None = None
    state: State = State.WAITING
    label: str | None = None  # that the person gave
    message: str | None = None  # what went wrong, for people
    stands_at: Path | None = None  # after a move; of a duplicate: its like
    group: int = 0  # photos that look alike have the same; 0 for one by itself

    @property
    def id(self) -> str:
        return photo_id(self.path)


def photo_id(path: Path) -> str:
    """Return a photo's name on the page: it stays the same, and says nothing of the path."""
    return hashlib.blake2b(os.fsencode(path), digest_size=9).hexdigest()
