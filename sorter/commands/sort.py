"""The commands that file photos."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import FolderPath, Settings, option, pass_settings
from core.errors import ExitCode
from core.runtime.console import Terminal, count_up
from sorter.commands.filing_options import (
    Filing,
    Plan,
    filing_options,
    make_plan,
    refuse_filed,
    tell_recovered,
)
from sorter.signals import graceful_shutdown

if TYPE_CHECKING:
    from core.store.database import Store
    from sorter.commands.summary import Summary
    from sorter.journal.journal import Run
    from sorter.outcome import FileOutcome
    from sorter.scanning.scan import Found, Skipped


@click.command()
@click.argument("folder", type=FolderPath())
@option("--dry-run", is_flag=True, help="Only say what would happen.")
@filing_options
@pass_settings
@click.pass_context
def sort(
    context: click.Context,
    settings: Settings,
    /,
    folder: Path,
    dry_run: bool,
    json: bool,
    **filing: Any,
) -> None:
    """Move the photos of FOLDER into cats/ and dogs/, once.

    A photo that is not clearly one of them stays where it is. What belongs to a photo, such as
    its .xmp, goes with it. Nothing is ever overwritten, and `catdog undo` puts all back.
    """
    from core.errors import UsageRefused
    from core.paths import display
    from core.store.database import Store
    from sorter.commands.summary import Summary
    from sorter.journal.journal import Run
    from sorter.undoing.corrections import notice

    plan = make_plan(settings, folder, Filing(**filing))
    with closing(Store(settings.state_dir)) as store, graceful_shutdown() as stop:
        refuse_filed(store, plan)
        if not dry_run:
            tell_recovered(store, plan.folders)
            notice(store, plan.inbox.destination, plan.labels)
        try:
            skipped: list[Skipped] = []
            found = list(plan.inbox.look(skipped.append))
        except OSError as error:
            raise UsageRefused(f"{display(folder)} cannot be listed: {error.strerror}.") from error
        summary = Summary(plan.inbox.destination)
        run = None
        if not dry_run:
            run = Run(
                store,
                "sort",
                *plan.folders,
                options=plan.filing.told(),
                model_version=plan.routes.manifest.version,
                still_seconds=plan.filing.still_seconds,
            )
        try:
            _tell_skipped(plan, skipped, summary, json=json)
            _sort(plan, store, run, found, summary, stop, json=json)
        finally:
            if run is not None:
                run.end()
    for words in summary.lines(
        plan.routes.raised_to, dry_run=dry_run, move_others=plan.routes.move_others
    ):
        click.echo(words, err=json)
    if stop.is_set():
        click.echo("Interrupted: what is not told of above was not looked at.", err=True)
        context.exit(ExitCode.INTERRUPTED)
    if summary.failed:
        context.exit(ExitCode.SOME_FAILED)
    if summary.placed and not dry_run:
        click.echo("`catdog undo` puts it back.", err=json)


def _tell_skipped(plan: Plan, skipped: list[Skipped], summary: Summary, *, json: bool) -> None:
    """Tell of folders that cannot be listed, which is a failure; the summary names the others."""
    from sorter.scanning.scan import unlisted_outcome

    for one in skipped:
        outcome = unlisted_outcome(one)
        if outcome is None:
            summary.skip(one, plan.inbox.folder)
        else:
            summary.add(outcome)
            plan.tell(outcome, as_json=json)


def _sort(
    plan: Plan,
    store: Store,
    run: Run | None,
    found: list[Found],
    summary: Summary,
    stop: Event,
    *,
    json: bool,
) -> None:
    """Sort what was found, and tell; ends after the photo in hand once `stop` is set."""
    from sorter.filing.late_sidecars import follow_photos
    from sorter.filing.mover import Conflict, Mover
    from sorter.filing.pipeline import Sorting, sidecar_outcome, sort_photos
    from sorter.journal.journal import filed_by_another_run
    from sorter.outcome import FileOutcome, Outcome, Reason
    from sorter.sidecars.matching import Sidecars
    from sorter.sidecars.name_patterns import is_raw_name

    mover = Mover(
        run,
        plan.inbox.destination,
        copy=plan.filing.copy,
        on_conflict=Conflict(plan.filing.conflict),
        still_seconds=plan.filing.still_seconds,
    )
    sidecars = Sidecars(plan.inbox.sidecars)
    own = run.id if run is not None else 0
    sorting = Sorting(
        plan.classifier,
        plan.routes,
        mover,
        sidecars,
        copy=plan.filing.copy,
        still_seconds=plan.filing.still_seconds,
        was_filed=lambda photo: filed_by_another_run(store, own, photo),
    )
    gone: set[Path] = set()  # sidecars that went with their photo

    def tell(outcome: FileOutcome) -> None:
        summary.add(outcome)
        if outcome.reason == Reason.SIDECAR:
            gone.add(outcome.path)
        if json or outcome.outcome is not Outcome.NOT_A_PHOTO:
            plan.tell(outcome, as_json=json)

    for one in found:
        sidecars.list_folder(one.folder, one.names, one.photos_of_other_names)
        for placed in follow_photos(store, mover, one.folder, one.names, table=plan.inbox.sidecars):
            tell(sidecar_outcome(placed))
            gone.add(placed.source)
            if stop.is_set():
                return
    raws = {one.folder / name for one in found for name in one.raws} - gone
    photos = chain((one.folder / name for one in found for name in one.photos), sorted(raws))
    total = sum(len(one.photos) for one in found) + len(raws)
    with Terminal().progress("Sorting", total) as told:
        one_more = count_up(told)
        with closing(sort_photos(sorting, photos)) as groups:
            for outcomes in groups:
                for outcome in outcomes:
                    tell(outcome)
                one_more()
                if stop.is_set():
                    return
    for one in found:
        for name, reason in one.passed_over.items():
            tell(FileOutcome(one.folder / name, Outcome.LEFT, reason=reason))
        with_photo = sidecars.with_photo(one.folder)
        for name in one.others:
            if one.folder / name not in gone | raws:
                is_raw = is_raw_name(name) and name not in with_photo
                why = Reason.RAW if is_raw else None
                tell(FileOutcome(one.folder / name, Outcome.NOT_A_PHOTO, reason=why))
