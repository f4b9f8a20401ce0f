"""Outcomes of files in words, and as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.model.manifest import Manifest
from core.model.wording import describe
from core.paths import display
from core.runtime.console import echo, print_json
from sorter.filing.plan import FilingPlan
from sorter.outcome import FileOutcome, Outcome, Reason

LEFT_WORDS: dict[str | None, str] = {
    Reason.CHANGED: "it changed while it was looked at",
    Reason.NOT_IN_TABLE: "the table says nothing of it, or it changed since",
    Reason.IN_PLACE: "it is where it belongs",
    Reason.ANOTHER_RUN: "another run has filed it meanwhile",
    Reason.EXCLUDED: "as --include and --exclude say",
    Reason.UNFINISHED: "it is still being downloaded",
    Reason.BEING_WRITTEN: "it may not be complete yet",
    Reason.UNCLEAR: "it may belong to a photo that is yet to come",
    Reason.INTERRUPTED: "stopped before its turn",
}


class OutcomePrinter:
    """Prints outcomes as they come, as lines or as JSON."""

    def __init__(self, plan: FilingPlan, folder: Path, *, as_json: bool) -> None:
        """`folder` is what the person called it."""
        self._manifest = plan.routes.manifest
        self._destination = plan.inbox.destination
        given = {plan.inbox.folder: folder, plan.inbox.destination: plan.options.into or folder}
        innermost_first = sorted(given.items(), key=lambda item: -len(item[0].parts))
        self._given = dict(innermost_first)
        self._as_json = as_json

    def print(self, outcome: FileOutcome) -> None:
        if self._as_json:
            print_json(json_object(outcome, self._given))
        else:
            echo(line(outcome, self._manifest, self._destination))


def line(outcome: FileOutcome, manifest: Manifest, folder: Path) -> str:
    """Return a line about one file, with paths below `folder`."""
    name = display(below(outcome.path, folder))
    verdict = describe(outcome.verdict, manifest) if outcome.verdict is not None else ""
    there = ""
    if outcome.destination is not None:
        there = display(below(outcome.destination, folder))
    if outcome.has_moved:
        why = "with its photo" if outcome.reason == Reason.SIDECAR else verdict or outcome.message
        return f"{name} -> {there}: {why}"
    match outcome.outcome:
        case Outcome.NOT_A_PHOTO:
            return f"{name}: not a photo, left"
        case Outcome.FAILED:
            return f"Failed ({outcome.reason}): {outcome.message}"
        case Outcome.DUPLICATE if outcome.destination is not None:
            stands = os.path.lexists(outcome.destination)  # else in a dry run
            return f"{name}: left, the same file {'is already' if stands else 'goes to'} {there}"
    if outcome.reason == Reason.CONFLICT and there:
        return f"{name}: left, {there} is another file"
    return f"{name}: left, {LEFT_WORDS.get(outcome.reason, verdict)}"


def json_object(outcome: FileOutcome, given: Mapping[Path, Path]) -> dict[str, Any]:
    """Return one file's outcome as it stands in `--json` output.

    `given` maps real folders, the innermost first, to what the person called them.
    """

    def written(path: Path | None) -> str | None:
        if path is None:
            return None
        for real, called in given.items():
            if path.is_relative_to(real):
                return str(called / path.relative_to(real))
        return str(path)

    prediction = outcome.verdict.prediction if outcome.verdict is not None else None
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
        "destination": written(outcome.destination),
        "label": prediction.label if prediction else None,
        "confidence": round(prediction.confidence, 6) if prediction else None,
        "model": prediction.model_version if prediction else None,
        **dated,
    }


def below(path: Path, folder: Path) -> Path:
    """Return a path as one below a folder, if it is."""
    try:
        return path.relative_to(folder)
    except ValueError:  # asking first would take as long again
        return path
