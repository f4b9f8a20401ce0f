"""`catdog undo` and `catdog history`: what was done, and taking it back."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.commands.options import Settings, json_option, option, pass_settings
from core.errors import ExitCode, UsageRefused
from core.paths import display
from core.runtime.console import print_json
from core.store.database import Store
from sorter.commands.filing_options import recover_and_report
from sorter.signals import graceful_shutdown

if TYPE_CHECKING:
    from sorter.journal.run import RunRecord
    from sorter.undoing.undo import PutBack


_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class _Time(click.ParamType[float]):
    """A time of day, a date, both, or how long ago: `14:30`, `2026-11-21`, `2h`."""

    name = "time"

    def convert(
        self, value: str | float, param: click.Parameter | None, context: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        now = datetime.now()
        if re.fullmatch("[0-9]{1,6}[mhd]", value):
            ago = timedelta(**{_UNITS[value[-1]]: int(value[:-1])})
            return max(0.0, now.timestamp() - ago.total_seconds())
        for text in (value, f"{now:%Y-%m-%d} {value}"):
            try:
                return datetime.fromisoformat(text).timestamp()
            except (ValueError, OverflowError, OSError):
                continue
        return self.fail(f"{value!r} is no time. Try 14:30, 2026-11-21, '2026-11-21 14:30' or 2h.")


@click.command()
@click.argument("what", nargs=-1, metavar="[RUN | PHOTO... | FOLDER...]")
@option("--dry-run", is_flag=True, help="Only say what would be put back.")
@option("--since", type=_Time(), metavar="TIME", help="Only what was moved since: 14:30, 2h, ...")
@option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N photos.")
@json_option
@pass_settings
@click.pass_context
def undo(
    context: click.Context,
    settings: Settings,
    what: tuple[str, ...],
    dry_run: bool,
    since: float | None,
    last: int | None,
    json: bool,
) -> None:
    """Put photos back where they came from.

    Without RUN, that is the newest run that is not undone. PHOTOs and FOLDERs are named by where
    they are, or by where they were. A photo is known again if it was touched or tagged, or its
    folder renamed. What was edited since, was moved by you, or whose place is taken, is left alone
    and named.
    """
    from sorter.undoing.selection import groups_of, named_run, newest_run
    from sorter.undoing.undo import put_back

    with closing(Store(settings.state_dir)) as store, graceful_shutdown() as stop:
        if not dry_run:
            recover_and_report(store, None)
        run = older = None
        photos: list[Path] = []
        if len(what) == 1 and re.fullmatch("[0-9]{1,18}", what[0]):
            run = named_run(store, int(what[0]))
        elif what:
            photos = [path for name in what for path in _paths(name)]
        elif since is None and last is None:
            run = newest_run(store)
            if run is None:
                click.echo("Nothing is left to undo.", err=json)
                return
            older = newest_run(store, before=run)
        groups = groups_of(
            store, run=run.id if run else None, since=since, photos=photos, last=last
        )
        found: Counter[str] = Counter()
        with closing(put_back(store, groups, dry_run=dry_run)) as outcomes:
            for outcome in outcomes:
                _print(outcome, dry_run=dry_run, as_json=json)
                found.update(files=1, done=int(outcome.done), failed=int(outcome.failed))
                if stop.is_set():
                    break
        if photos and not found["files"]:
            raise UsageRefused(
                "None of these was moved by catdog, or it is back already. `catdog history` "
                "lists what was moved."
            )
    for line in _summary(found, run, older, dry_run=dry_run):
        click.echo(line, err=json)
    if stop.is_set():
        context.exit(ExitCode.INTERRUPTED)
    if found["failed"]:
        context.exit(ExitCode.SOME_FAILED)


def _summary(
    found: Counter[str], run: RunRecord | None, older: RunRecord | None, *, dry_run: bool
) -> Iterator[str]:
    files, done = found["files"], found["done"]
    if not files:
        yield "Nothing is left to undo."
        return
    verb = "would be put back" if dry_run else "put back"
    of = f" of run {run.id}" if run else ""
    rest = f", {files - done} left alone: see the lines above" if files > done else ""
    yield f"{done} files{of} {verb}{rest}."
    if older is not None and not done:
        yield f"`catdog undo {older.id}` takes back the run before."


def _paths(name: str) -> set[Path]:
    """Return the paths that the journal may have a photo under: links on the way followed or not.

    Raises UsageRefused.
    """
    if not name:
        raise UsageRefused("An empty name is no photo. Name one, or a run.")
    path = Path(os.path.normpath(Path.cwd() / name))
    real = Path(os.path.realpath(path))  # where resolve() raises for links in a circle
    return {path, Path(os.path.realpath(path.parent)) / path.name, real}


def _print(outcome: PutBack, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(_json(outcome, dry_run=dry_run))
    else:
        click.echo(_line(outcome, dry_run=dry_run))


def _line(outcome: PutBack, *, dry_run: bool) -> str:
    filed, original = display(outcome.filed), display(outcome.original)
    would = "would be " if dry_run else ""
    if outcome.done and outcome.removed:
        return f"{filed} {would}removed: its original is {original}"
    if outcome.done:
        return f"{filed} -> {original}{': would be put back' if dry_run else ''}"
    if outcome.failed:
        return f"Failed ({outcome.reason}): {filed} could not be put back to {original}"
    reason = outcome.reason or ""
    if reason == "moved" and outcome.found_at is not None:
        reason = "moved by you"
    here = display(outcome.found_at or outcome.original)
    return f"{filed}: left alone, {_LEFT_BECAUSE[reason].format(original=original, here=here)}"


_LEFT_BECAUSE = {
    "changed": "it has changed since; move it to {original} yourself if it belongs there",
    "place-taken": "its place is taken: {here}; move that away and undo again",
    "folder-gone": "the folder that it came from is not there, nor its disk: {original}; mount it, "
    "or make the folder, and undo again",
    "original-gone": "its original {original} is not there as it was: keep the copy",
    "moved by you": "you moved it to {here}; move it to {original} if you like",
    "moved": "it is not there any more: you moved it, or something else did; find it and move it "
    "back",
}


def _json(outcome: PutBack, *, dry_run: bool) -> dict[str, object]:
    done = ("would-put-back" if dry_run else "put-back") if outcome.done else "left"
    return {
        "path": str(outcome.filed),
        "outcome": "failed" if outcome.failed else done,
        "reason": outcome.reason,
        "original": str(outcome.original),
        "removed": outcome.removed,
    }


@click.command()
@click.argument("run", type=click.IntRange(0, 10**18), required=False)
@option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Runs to list.")
@json_option
@pass_settings
def history(settings: Settings, run: int | None, limit: int, json: bool) -> None:
    """List what was done: the newest runs, or each file of RUN."""
    from sorter.undoing.history import move_json, move_line, moves_of, run_json, run_line, runs

    with closing(Store(settings.state_dir)) as store:
        recover_and_report(store, None)
        if run is None:
            summaries = runs(store, limit=limit)
            for summary in summaries:
                print_json(run_json(summary)) if json else click.echo(run_line(summary))
            if not summaries:
                click.echo("Nothing was moved yet.", err=json)
            return
        moves = 0
        for move in moves_of(store, run):
            print_json(move_json(move)) if json else click.echo(move_line(move))
            moves += 1
        if not moves:
            raise UsageRefused(f"There is no run {run}. `catdog history` lists them.")
