"""Outcomes in words: a line a file, and at the end what happened and what would change it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core.errors import UnreadableCode
from core.model.manifest import Manifest
from core.model.verdict import judge
from core.model.wording import describe
from core.paths import display
from sorter.outcome import FileOutcome, Outcome, Reason
from sorter.routes import NOT_THE_CONTENT
from sorter.scanning.raw_photos import raw_words
from sorter.scanning.scan import Skipped, SkippedBecause

_VERBS = {
    Outcome.MOVED: "moved",
    Outcome.COPIED: "copied",
    Outcome.WOULD_MOVE: "would be moved",
    Outcome.WOULD_COPY: "would be copied",
}

_LEFT: dict[str | None, str] = {
    Reason.CHANGED: "it changed while it was looked at",
    Reason.IN_PLACE: "it is where it belongs",
    Reason.ANOTHER_RUN: "another run has filed it meanwhile",
    Reason.EXCLUDED: "as --include and --exclude say",
    Reason.UNFINISHED: "it is still being downloaded",
    Reason.BEING_WRITTEN: "it may not be complete yet",
    Reason.UNCLEAR: "it may belong to a photo that is yet to come",
    Reason.INTERRUPTED: "stopped before its turn",
}

_APART: dict[str | None, str] = {
    Reason.UNSURE: "unsure",
    Reason.NEITHER: "other",
    Reason.BOTH: "other",
}

_CONTENT = {code.value for code in UnreadableCode} - {code.value for code in NOT_THE_CONTENT}


_SKIPPED = {
    SkippedBecause.OTHER_STORE: "another program keeps its own there",
    SkippedBecause.CLASS_FOLDER: "named like one that photos are filed into; rename it to sort it",
    SkippedBecause.EXCLUDED: "as --exclude says",
}
_NAMED = 5  # skipped folders that are named, of each kind


def line(outcome: FileOutcome, manifest: Manifest, threshold: float | None, folder: Path) -> str:
    """Say what came of one file; `threshold` is the person's own."""
    name = display(_below(outcome.path, folder))
    if outcome.outcome is Outcome.NOT_A_PHOTO:
        return f"{name}: not a photo, left"
    if outcome.outcome is Outcome.FAILED:
        return f"Failed ({outcome.reason}): {outcome.message}"
    seen = ""
    if outcome.prediction is not None:
        seen = describe(judge(outcome.prediction, manifest.classes, threshold), manifest)
    if outcome.outcome is Outcome.DUPLICATE and outcome.destination is not None:
        there = display(_below(outcome.destination, folder))
        if os.path.lexists(outcome.destination):
            return f"{name}: left, the same file is already {there}"
        return f"{name}: left, the same file goes to {there}"  # in a dry run
    if outcome.reason == Reason.CONFLICT and outcome.destination is not None:
        there = display(_below(outcome.destination, folder))
        return f"{name}: left, {there} is another file"
    if outcome.outcome is Outcome.LEFT and outcome.reason in _LEFT:
        return f"{name}: left, {_LEFT[outcome.reason]}"
    if outcome.outcome is Outcome.LEFT:
        return f"{name}: left, {seen}"
    assert outcome.destination is not None
    there = display(_below(outcome.destination, folder))
    if outcome.reason == Reason.SIDECAR:
        return f"{name} -> {there}: with its photo"
    return f"{name} -> {there}: {seen or outcome.message}"


def json_object(outcome: FileOutcome, written: Callable[[Path], str] = str) -> dict[str, Any]:
    """Give one file's outcome as it stands in `--json` output; `written` writes paths."""
    prediction = outcome.prediction
    dated = {}
    if outcome.dated is not None:
        when = outcome.dated.when
        dated = {
            "date": when.isoformat() if when is not None else None,
            "date_source": outcome.dated.source.value,
        }
    return {
        "path": written(outcome.path),
        "outcome": outcome.outcome.value,
        "reason": outcome.reason,
        "destination": written(outcome.destination) if outcome.destination else None,
        "label": prediction.label if prediction else None,
        "confidence": round(prediction.confidence, 6) if prediction else None,
        "model": prediction.model_version if prediction else None,
        **dated,
    }


class Summary:
    """Counts outcomes as they come."""

    def __init__(self, destination: Path) -> None:
        self._destination = destination
        self._placed: Counter[tuple[Outcome, str, bool]] = Counter()  # True: with its photo
        self._stayed: Counter[tuple[Outcome, str | None]] = Counter()
        self._skipped: dict[SkippedBecause, list[Path]] = {}
        self.failed = 0  # files that could not be read or moved, set apart or not

    def add(self, outcome: FileOutcome) -> None:
        self.failed += outcome.outcome is Outcome.FAILED or outcome.reason in _CONTENT
        if outcome.outcome in _VERBS and outcome.destination is not None:
            folder = _below(outcome.destination.parent, self._destination)
            self._placed[outcome.outcome, display(folder), outcome.reason == Reason.SIDECAR] += 1
        else:
            self._stayed[outcome.outcome, outcome.reason] += 1

    def skip(self, skipped: Skipped, below: Path) -> None:
        """Take in a folder below `below` that was not looked into."""
        self._skipped.setdefault(skipped.why, []).append(_below(skipped.folder, below))

    @property
    def placed(self) -> int:
        return self._placed.total()

    @property
    def total(self) -> int:
        return self._placed.total() + self._stayed.total()

    def lines(self, raised_to: float | None, *, dry_run: bool, move_others: bool) -> Iterator[str]:
        """Say what happened, by outcome, and what would change what was left.

        `raised_to` is the person's own threshold, if it is above the model's.
        """
        if not self.total:
            yield "Nothing to sort: the folder holds no files of its own."
            yield from self._skipped_lines()
            return
        yield f"{self.total} files:"
        for (outcome, folder, with_photo), number in sorted(self._placed.items()):
            along = " with their photos" if with_photo else ""
            yield f"{number:7} {_VERBS[outcome]} to {folder}/{along}"
        for (outcome, reason), number in sorted(
            self._stayed.items(), key=lambda item: (item[0][0], item[0][1] or "")
        ):
            if reason == Reason.RAW:
                yield f"{number:7} {raw_words(number)}"
                continue
            yield f"{number:7} {_stayed_words(outcome, reason, raised_to, move_others)}"
        yield from self._skipped_lines()
        if dry_run:
            yield "Nothing was changed: this was a dry run. Leave out --dry-run to do it."

    def _skipped_lines(self) -> Iterator[str]:
        for why, words in _SKIPPED.items():
            folders = self._skipped.get(why, [])
            if folders:
                what = "folder" if len(folders) == 1 else "folders"
                names = ", ".join(display(one) for one in folders[:_NAMED])
                more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
                yield f"{len(folders):7} {what} skipped, {words}: {names}{more}"


def _stayed_words(
    outcome: Outcome, reason: str | None, raised_to: float | None, move_others: bool
) -> str:
    apart = "" if move_others else f"; --others move puts it into {_apart(reason)}/"
    if outcome is Outcome.NOT_A_PHOTO:
        return "not a photo, left alone"
    if outcome is Outcome.DUPLICATE:
        return "duplicate, left: the same photo is already filed there"
    if reason == Reason.UNSURE:
        more = f": --threshold under {raised_to:g} files more" if raised_to is not None else ""
        return f"left, not sure enough{more}{apart}"
    if reason == Reason.NEITHER:
        return f"left, of neither kind{apart}"
    if reason == Reason.BOTH:
        return f"left, of more than one kind{apart}"
    if reason == Reason.IN_PLACE:
        return "left, already where it belongs"
    if reason == Reason.CHANGED:
        return "left, changed while it was looked at: sort again"
    if reason == Reason.CONFLICT:
        return "left, another file has its name there: --conflict rename files it with a number"
    if reason == Reason.BEING_WRITTEN:
        return "left, may still be being written: sort again later; --still-seconds says when"
    if outcome is Outcome.LEFT and reason in _LEFT:
        return f"left, {_LEFT[reason]}"
    return f"failed ({reason}), left: see the lines above{apart if reason in _CONTENT else ''}"


def _apart(reason: str | None) -> str:
    return _APART.get(reason, "unreadable")


def _below(path: Path, folder: Path) -> Path:
    try:
        return path.relative_to(folder)
    except ValueError:  # asking first would take as long again
        return path
