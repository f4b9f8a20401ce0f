"""A summary at the end: what happened, by outcome, and what would change it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from core.labels import UNSURE
from core.paths import display
from sorter.commands.outcome_lines import LEFT_WORDS, below
from sorter.filing.plan import FilingPlan
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import OTHER, UNREADABLE, UNREADABLE_CONTENT
from sorter.scanning.scanned import Skipped, SkippedBecause

_VERBS = {
    Outcome.MOVED: "moved",
    Outcome.COPIED: "copied",
    Outcome.WOULD_MOVE: "would be moved",
    Outcome.WOULD_COPY: "would be copied",
}
_QUARANTINE = dict.fromkeys(UNREADABLE_CONTENT, UNREADABLE) | {
    Reason.UNSURE.value: UNSURE,
    Reason.NEITHER.value: OTHER,
    Reason.BOTH.value: OTHER,
}
_LEFT: dict[str | None, str] = LEFT_WORDS | {
    Reason.NEITHER: "of neither kind",
    Reason.BOTH: "of more than one kind",
    Reason.IN_PLACE: "already where it belongs",
    Reason.NOT_IN_TABLE: "not in the table, or changed since: run `catdog archive` again",
    Reason.CHANGED: "changed while it was looked at: sort again",
    Reason.CONFLICT: "another file has its name there: --conflict rename files it with a number",
    Reason.BEING_WRITTEN: "may still be being written: sort again later; --still-seconds says when",
}
_SKIPPED = {
    SkippedBecause.OTHER_STORE: "another program keeps its own there",
    SkippedBecause.CLASS_FOLDER: "named like one that photos are filed into; rename it to sort it",
    SkippedBecause.EXCLUDED: "as --exclude says",
}
_NAMED = 5  # skipped folders that are named, of each kind


class Summary:
    """Counts outcomes as they come."""

    def __init__(self, plan: FilingPlan, *, dry_run: bool) -> None:
        self._plan = plan
        self._dry_run = dry_run
        self._moved: Counter[tuple[Outcome, str, bool]] = Counter()  # True: with its photo
        self._left: Counter[tuple[Outcome, str]] = Counter()
        self._skipped: defaultdict[SkippedBecause, list[Path]] = defaultdict(list)
        self.failed = 0  # files that could not be read or moved, in quarantine or not

    def add(self, outcome: FileOutcome) -> None:
        self.failed += outcome.outcome is Outcome.FAILED or outcome.reason in UNREADABLE_CONTENT
        if outcome.has_moved and outcome.destination is not None:
            folder = below(outcome.destination.parent, self._plan.inbox.destination)
            self._moved[outcome.outcome, display(folder), outcome.reason == Reason.SIDECAR] += 1
        else:
            self._left[outcome.outcome, outcome.reason or ""] += 1

    def skip(self, skipped: Skipped) -> None:
        self._skipped[skipped.why].append(below(skipped.folder, self._plan.inbox.folder))

    @property
    def has_moved(self) -> bool:
        return bool(self._moved)

    def lines(self) -> Iterator[str]:
        """Yield what happened, by outcome, and what would change what was left."""
        total = self._moved.total() + self._left.total()
        if not total:
            yield "Nothing to sort: the folder holds no files of its own."
            yield from self._skipped_lines()
            return
        yield f"{total} files:"
        for (outcome, folder, with_photo), number in sorted(self._moved.items()):
            along = " with their photos" if with_photo else ""
            yield f"{number:7} {_VERBS[outcome]} to {folder}/{along}"
        for (outcome, reason), number in sorted(self._left.items()):
            yield f"{number:7} {self._left_words(outcome, reason, number)}"
        yield from self._skipped_lines()
        if self._dry_run:
            yield "Nothing was changed: this was a dry run. Leave out --dry-run to do it."

    def _left_words(self, outcome: Outcome, reason: str, number: int) -> str:
        if reason == Reason.RAW:
            one = number == 1
            what, beside = ("photo", "it") if one else ("photos", "them")
            return f"raw {what}: catdog reads the JPEG beside {beside}, or the preview inside"
        if outcome is Outcome.NOT_A_PHOTO:
            return "not a photo, left alone"
        if outcome is Outcome.DUPLICATE:
            return "duplicate, left: the same photo is already filed there"
        routes = self._plan.routes
        more = ""
        if reason in _QUARANTINE and not routes.move_others:
            more = f"; --others move puts it into {_QUARANTINE[reason]}/"
        if reason == Reason.UNSURE:
            raised = routes.raised_to
            under = "" if raised is None else f": --threshold under {raised:g} files more"
            return f"left, not sure enough{under}{more}"
        if reason in _LEFT and outcome is Outcome.LEFT:
            return f"left, {_LEFT[reason]}{more}"
        return f"failed ({reason}), left: see the lines above{more}"

    def _skipped_lines(self) -> Iterator[str]:
        for why, words in _SKIPPED.items():
            folders = self._skipped[why]
            if folders:
                what = "folder" if len(folders) == 1 else "folders"
                names = ", ".join(display(one) for one in folders[:_NAMED])
                more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
                yield f"{len(folders):7} {what} skipped, {words}: {names}{more}"
