"""History: what was done, run by run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.model.wording import percent
from core.paths import display
from core.store.database import Store
from sorter.journal.moves import Kind, PlannedMove, State, read_moves
from sorter.journal.run import UNDO, RunRecord, read_runs


@dataclass(frozen=True, slots=True)
class RunSummary:
    run: RunRecord
    files: Mapping[State, int]

    @property
    def in_place(self) -> int:
        """Files that are where the run put them, as far as the journal knows."""
        return self.files.get(State.DONE, 0)


def runs(store: Store, *, limit: int | None = None) -> list[RunSummary]:
    """Return runs that did or tried something, the newest first. Raises StoreUnusable."""
    with store.reading() as db:
        counts: dict[int, dict[State, int]] = {}
        for row in db.execute("SELECT run, state, count(*) AS n FROM moves GROUP BY 1, 2"):
            counts.setdefault(row["run"], {})[State(row["state"])] = row["n"]
        found = [run for run in read_runs(db) if run.id in counts]
    found.reverse()
    return [RunSummary(run, counts[run.id]) for run in found[:limit]]


def moves_of(store: Store, run: int) -> Iterator[PlannedMove]:
    """Yield what a run did, in its order. Raises StoreUnusable."""
    with store.reading() as db:
        yield from read_moves(db, "run = ?", (run,))


def run_line(summary: RunSummary) -> str:
    run = summary.run
    started = datetime.fromtimestamp(run.started).isoformat(" ", "minutes")
    where = display(run.folder)
    if run.destination != run.folder:
        where += f" into {display(run.destination)}"
    command = f"undo of {run.options.get('of')}" if run.command == UNDO else run.command
    alive = "" if run.ended is not None else ", not ended"
    return f"{run.id:5}  {started}  {command:12}  {_counts(summary)}{alive}  {where}"


def move_line(move: PlannedMove) -> str:
    verb = {Kind.MOVE: "->", Kind.COPY: "copied to", Kind.REMOVE: "removed, as is still"}[move.kind]
    line = f"{display(move.source)} {verb} {display(move.destination)}"
    if move.label is not None and move.confidence is not None:
        line += f": {move.label}, {percent(move.confidence)}"
    if move.state is State.FAILED:
        line += f" (not done: {move.reason})"
    elif move.state is not State.DONE:
        line += f" ({move.state})"
    elif move.found_at is not None:
        line += f" (you moved it to {display(move.found_at)})"
    return line


def run_json(summary: RunSummary) -> dict[str, Any]:
    run = summary.run
    return {
        "run": run.id,
        "command": run.command,
        "folder": str(run.folder),
        "destination": str(run.destination),
        "model": run.model_version,
        "started": run.started,
        "ended": run.ended,
        "options": dict(run.options),
        "in_place": summary.in_place,
        "undone": summary.files.get(State.UNDONE, 0),
        "failed": summary.files.get(State.FAILED, 0),
    }


def move_json(move: PlannedMove) -> dict[str, Any]:
    return {
        "id": move.id,
        "group": move.group_id,
        "kind": move.kind.value,
        "state": move.state.value,
        "source": str(move.source),
        "destination": str(move.destination),
        "found_at": str(move.found_at) if move.found_at else None,
        "label": move.label,
        "confidence": move.confidence,
        "model": move.model_version,
        "reason": move.reason,
        "at": move.at,
    }


def _counts(summary: RunSummary) -> str:
    words = {
        State.DONE: "put back" if summary.run.command == UNDO else "in place",
        State.UNDONE: "undone",
        State.FAILED: "not done",
        State.PLANNED: "under way",
    }
    files = summary.files
    return ", ".join(f"{files[state]} {word}" for state, word in words.items() if state in files)
