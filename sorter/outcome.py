"""What came of one file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.identity import FileIdentity

if TYPE_CHECKING:
    from core.model.verdict import Verdict  # brings NumPy, which `history` can do without
    from sorter.dates import Dated
    from sorter.digests import Digests


class Outcome(StrEnum):
    """Every input file ends as one of these; stands in `--json` output."""

    MOVED = "moved"
    COPIED = "copied"
    WOULD_MOVE = "would-move"
    WOULD_COPY = "would-copy"
    LEFT = "left"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    NOT_A_PHOTO = "not-a-photo"


class Reason(StrEnum):
    """Why a file was not filed; a file that cannot be read has an UnreadableCode instead."""

    UNSURE = "unsure"
    NEITHER = "neither"
    BOTH = "both"
    CHANGED = "changed"
    NOT_IN_TABLE = "not-in-table"  # by which photos are filed; or it changed since
    IN_PLACE = "in-place"
    CONFLICT = "conflict"
    PLACE_TAKEN = "place-taken"  # a killed run's photo stands at both ends
    SIDECAR = "sidecar"
    RAW = "raw"  # without a photo of its name
    UNCLEAR = "unclear"  # whose sidecar it is
    EXCLUDED = "excluded"
    ANOTHER_RUN = "another-run"
    DESTINATION_GONE = "destination-gone"
    INTERRUPTED = "interrupted"
    UNFINISHED = "unfinished"
    BEING_WRITTEN = "being-written"
    DISK_FULL = "disk-full"
    NO_PERMISSION = "no-permission"
    READ_ONLY = "read-only"
    NAME_REFUSED = "name-refused"
    VANISHED = "vanished"
    IO_ERROR = "io-error"
    INTERNAL_ERROR = "internal-error"  # a bug of catdog's


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of one file; a photo's is filled in as it is read, routed and moved."""

    path: Path
    outcome: Outcome = Outcome.LEFT
    reason: str | None = None  # a Reason's or an UnreadableCode's value
    destination: Path | None = None  # of a duplicate: where the same file stands
    verdict: Verdict | None = None
    message: str | None = None  # what to do about a failure, for people
    dated: Dated | None = None  # with --by-date
    identity: FileIdentity | None = None  # of the file, before it was read
    digests: Digests | None = None

    @property
    def has_moved(self) -> bool:
        """Whether the file was moved or copied, or would be."""
        return self.outcome in _MOVED


_MOVED = {Outcome.MOVED, Outcome.COPIED, Outcome.WOULD_MOVE, Outcome.WOULD_COPY}
