"""`catdog sort`: a folder's photos filed once."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import FolderPath, Settings, option, pass_settings
from core.errors import ExitCode, UsageRefused
from core.paths import display
from core.runtime.console import Terminal, count_up
from core.store.database import Store
from sorter.commands.filing_options import filing_options, make_plan, recover_and_report
from sorter.signals import graceful_shutdown

if TYPE_CHECKING:
    from sorter.commands.outcome_lines import OutcomePrinter
    from sorter.commands.summary import Summary
    from sorter.filing.plan import FilingPlan
    from sorter.journal.run import Run
    from sorter.outcome import FileOutcome
    from sorter.scanning.scanned import ScannedFolder, Skipped


@click.command()
@click.argument("folder", type=FolderPath())
@option("--dry-run", is_flag=True, help="Only say what would happen.")
@option(
    "--from",
    "table",
    metavar="TABLE",
    help="File by what `catdog archive` wrote into TABLE, without a look at photos that are still "
    "the same; leave the others.",
)
@option(
    "--seen-at",
    type=click.Path(path_type=Path),
    help="With --from: the path that FOLDER had where the table was made, if it was another.",
)
@filing_options
@pass_settings
@click.pass_context
def sort(
    context: click.Context,
    settings: Settings,
    /,
    folder: Path,
    dry_run: bool,
    table: str | None,
    seen_at: Path | None,
    json: bool,
    **chosen: Any,
) -> None:
    """Move the photos of FOLDER into cats/ and dogs/, once.

    A photo that is not clearly one of them stays where it is. What belongs to a photo, such as
    its .xmp, goes with it. Nothing is ever overwritten, and `catdog undo` puts all back.
    """
    from sorter.commands.outcome_lines import OutcomePrinter
    from sorter.commands.summary import Summary
    from sorter.filing.plan import FilingOptions
    from sorter.undoing.corrections import notice

    plan = make_plan(settings, folder, FilingOptions(**chosen))
    if table is not None:
        plan = _by_table(plan, table, seen_at or folder.absolute())
    printer = OutcomePrinter(plan, folder, as_json=json)
    summary = Summary(plan, dry_run=dry_run)
    with closing(Store(settings.state_dir)) as store, graceful_shutdown() as stop:
        plan.check(store)
        if not dry_run:
            recover_and_report(store, plan.folders)
            notice(store, plan.inbox.destination, plan.labels)
        skipped: list[Skipped] = []
        try:
            scanned = list(plan.inbox.scan(skipped.append))
        except OSError as error:
            raise UsageRefused(f"{display(folder)} cannot be listed: {error.strerror}.") from error
        with nullcontext() if dry_run else plan.begin_run(store, "sort") as run:
            sort_once = _SortOnce(plan, store, printer, summary, all_outcomes=json)
            sort_once.report_skipped(skipped)
            sort_once.sort(run, scanned, stop)
    for words in summary.lines():
        click.echo(words, err=json)
    if stop.is_set():
        click.echo("Interrupted: what is not told of above was not looked at.", err=True)
        context.exit(ExitCode.INTERRUPTED)
    if summary.failed:
        context.exit(ExitCode.SOME_FAILED)
    if summary.has_moved and not dry_run:
        click.echo("`catdog undo` puts it back.", err=json)


def _by_table(plan: FilingPlan, table: str, seen_at: Path) -> FilingPlan:
    """Return a plan that files by a table. Raises UsageRefused and ExtraMissing."""
    from core.archive.table_answers import TableAnswers

    version = plan.routes.manifest.version
    answers = TableAnswers(table, plan.inbox.folder, model_version=version, seen_at=seen_at)
    return replace(plan, answers=answers)


class _SortOnce:
    """Sorts what a scan found, and reports each file."""

    def __init__(
        self,
        plan: FilingPlan,
        store: Store,
        printer: OutcomePrinter,
        summary: Summary,
        *,
        all_outcomes: bool,
    ) -> None:
        """`all_outcomes` has files printed, too, that are no photos."""
        self._plan = plan
        self._store = store
        self._printer = printer
        self._summary = summary
        self._all_outcomes = all_outcomes
        self._done: set[Path] = set()  # of files that are no photos: sidecars and raw photos

    def report_skipped(self, skipped: list[Skipped]) -> None:
        """Report folders that cannot be listed, which is a failure; the summary has the others."""
        for one in skipped:
            if one.failure is None:
                self._summary.skip(one)
            else:
                self._report(one.failure)

    def sort(self, run: Run | None, scanned: list[ScannedFolder], stop: Event) -> None:
        """Sort late sidecars and photos; end after the photo in hand once `stop` is set."""
        from sorter.filing.late_sidecars import follow_photos
        from sorter.filing.pipeline import sort_photos
        from sorter.sidecars.matching import sidecars_in

        table = self._plan.inbox.sidecars
        sorting = self._plan.sorting(self._store, run)
        sidecars = {}
        for one in scanned:
            names = one.names
            photos_here = one.photos_of_other_names
            sidecars[one.folder] = sidecars_in(one.folder, names, photos_here, table)
            for outcome in follow_photos(
                self._store, sorting.mover, one.folder, names, table=table
            ):
                self._report(outcome)
                self._done.add(outcome.path)
                if stop.is_set():
                    return
        raws = sorted({one.folder / name for one in scanned for name in one.raws} - self._done)
        photos = chain((one.folder / name for one in scanned for name in one.photos), raws)
        total = sum(len(one.photos) for one in scanned) + len(raws)
        with Terminal().progress("Sorting", total) as on_progress:
            one_more = count_up(on_progress)
            with closing(sort_photos(sorting, sidecars, photos)) as groups:
                for outcomes in groups:
                    for outcome in outcomes:
                        self._report(outcome)
                    one_more()
                    if stop.is_set():
                        return
        self._done.update(raws)
        self._report_others(scanned)

    def _report_others(self, scanned: list[ScannedFolder]) -> None:
        from sorter.outcome import FileOutcome, Outcome, Reason
        from sorter.scanning.scanned import raws_alone

        for one in scanned:
            for name, reason in one.passed_over.items():
                self._report(FileOutcome(one.folder / name, reason=reason))
            raws = set(raws_alone(one.others, chain(one.photos, one.passed_over)))
            for name in one.others:
                path = one.folder / name
                if path not in self._done:
                    why = Reason.RAW if name in raws else None
                    self._report(FileOutcome(path, Outcome.NOT_A_PHOTO, why))

    def _report(self, outcome: FileOutcome) -> None:
        from sorter.outcome import Outcome, Reason

        self._summary.add(outcome)
        if outcome.reason == Reason.SIDECAR:
            self._done.add(outcome.path)
        if self._all_outcomes or outcome.outcome is not Outcome.NOT_A_PHOTO:
            self._printer.print(outcome)
