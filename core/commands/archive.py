"""The commands that classify archives into tables, and tell what is in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import (
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
    threshold_option,
)
from core.errors import ExitCode
from core.runtime.console import echo, print_json

if TYPE_CHECKING:
    from core.archive.archive_run import Mapper, Outcome
    from core.archive.classify import Looking
    from core.archive.report.summary import Summary
    from core.archive.sources.source_listing import Passed


@dataclass(frozen=True, slots=True)
class _Options:
    """What a person asks of an archive; `catdog archive --help` describes each."""

    sources: tuple[str, ...]
    table: str
    ray: str | None
    column: str | None
    key: str | None
    embeddings: bool
    retry_errors: bool
    renew: bool
    part_photos: int
    threshold: float | None
    model_choice: str | None
    json: bool


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@option(
    "--to",
    "table",
    required=True,
    metavar="TABLE",
    help="Folder of Parquet files, on a disk or in a store: new, or one to go on with.",
)
@option(
    "--ray",
    metavar="ADDRESS",
    help="Classify on a Ray cluster: its address, `auto` on one of its machines, or `local`.",
)
@option(
    "--column",
    metavar="COLUMN",
    help="Of a Parquet SOURCE: the column of photos or of their paths.  [default: by its type]",
)
@option(
    "--key",
    metavar="COLUMN",
    help="Of a Parquet SOURCE with photos in it: the column that names them.  [default: their row]",
)
@option("--embeddings", is_flag=True, help="Write each photo's embedding into the table, too.")
@option("--retry-errors", is_flag=True, help="Do photos again that could not be read.")
@option("--renew", is_flag=True, help="Do photos again that another model answered.")
@option(
    "--part-photos",
    type=click.IntRange(min=1),
    default=5_000,
    show_default=True,
    help="Photos in one part of the table, which is what a kill can lose the work of.",
)
@threshold_option
@model_option
@json_option
@pass_settings
@click.pass_context
def archive(context: click.Context, settings: Settings, /, **given: Any) -> None:
    """Classify any number of photos into a table, and go on with one that is there.

    SOURCE is a folder, a pattern, an address such as s3://bucket/photos, a text file (.txt) with
    a path a line, or a Parquet file. Nothing is moved or changed.
    """
    from core.archive.archive_run import archive as run
    from core.archive.classify import Looking
    from core.archive.known import Again
    from core.archive.progress import shown
    from core.archive.sources.source_listing import Columns, Passed, list_sources
    from core.archive.table import Table
    from core.model.classifier import Classifier
    from core.model.registry import find_model

    options = _Options(**given)
    to = Table(options.table)
    classifier = Classifier(find_model(settings.models_dir, options.model_choice))
    looking = Looking(classifier, options.threshold, options.embeddings)
    looking.check()
    again = Again(options.retry_errors, classifier.manifest.version if options.renew else None)
    passed = Passed()
    listed = list_sources(options.sources, Columns(options.column, options.key), passed)
    with to.locked(settings.state_dir):
        to.check_columns(embeddings=options.embeddings)
        with _mapper(options.ray, looking) as mapper, shown() as progress:
            outcome = run(
                listed, to, mapper, progress, again=again, photos_in_a_part=options.part_photos
            )
    _print_outcome(outcome, passed, options.table, json=options.json)
    if outcome.errors or passed.unlisted:
        context.exit(ExitCode.SOME_FAILED)


@contextmanager
def _mapper(ray: str | None, looking: Looking) -> Iterator[Mapper]:
    """Return what classifies: the cores here, or a cluster."""
    from core.archive.archive_run import map_here

    if ray is None:
        yield map_here(looking)
        return
    from core.archive.on_ray.mapper import cluster, map_on_ray

    with cluster(ray):
        yield map_on_ray(looking)


def _print_outcome(outcome: Outcome, passed: Passed, table: str, *, json: bool) -> None:
    tally = outcome.tally
    if json:
        print_json(
            {
                "table": table,
                "classified": outcome.done,
                "verdicts": dict(outcome.verdicts),
                "errors": dict(outcome.errors),
                "changed": tally.changed,
                "done_before": tally.done_before,
                "repeated": tally.repeated,
                "not_photos": passed.not_photos,
                "other_stores": passed.other_stores,
                "unlisted": passed.unlisted,
                "parts": outcome.parts,
            }
        )
        return
    echo(f"{table}: {outcome.done:,} photos classified, {tally.done_before:,} were there before.")
    for name, counts in (("Verdicts", outcome.verdicts), ("Errors", outcome.errors)):
        if counts:
            words = ", ".join(f"{number:,} {what}" for what, number in counts.most_common())
            echo(f"{name}: {words}.")
    others = {
        "done again, for they had changed or were asked for": tally.changed,
        "named more than once": tally.repeated,
        "no photos, and passed": passed.not_photos,
        "folders of other programs' libraries, thumbnails or recycle bins passed": (
            passed.other_stores
        ),
        "folders that cannot be listed": len(passed.unlisted),
    }
    for what, number in others.items():
        if number:
            echo(f"{number:,} {what}.")


@click.command("archive-report")
@click.argument("table")
@option(
    "--html",
    metavar="PAGE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with photos of each kind and the unsure ones; an older one is written over.",
)
@json_option
def archive_report(table: str, html: Path | None, json: bool) -> None:
    """Tell what is in a TABLE that `catdog archive` wrote: verdicts, models, errors, months."""
    from core.archive.report.report_page import report_page
    from core.archive.report.summary import summarize
    from core.archive.table import Table
    from core.errors import UsageRefused
    from core.paths import display
    from core.runtime.output_files import writing

    if html is not None and html.suffix.lower() not in (".html", ".htm"):
        raise UsageRefused(f"{display(html)} must end in .html: it is written over.")
    read = Table(table)
    if not read.parts():
        raise UsageRefused(f"{table} has no parts of a table yet. Check the name.")
    summary = summarize(read)
    if json:
        print_json(
            {
                "table": table,
                "photos": summary.photos,
                "verdicts": dict(summary.groups),
                "models": dict(summary.models),
                "errors": dict(summary.errors),
                "months": {
                    month or "undated": dict(counts) for month, counts in summary.months.items()
                },
            }
        )
    else:
        _print_summary(summary, table)
    if html is not None:
        page = report_page(summary, table)
        with writing(html):
            html.write_text(page, encoding="utf-8")
        echo(f"{display(html)} shows them.", err=json)


def _print_summary(summary: Summary, table: str) -> None:
    """Print counts, one a line, the larger first."""
    echo(f"{table}: {summary.photos:,} photos")
    months = {month: sum(summary.months[month].values()) for month in summary.dated}
    undated = summary.photos - sum(months.values())
    sections: dict[str, list[tuple[str, int]]] = {
        "By verdict": summary.groups.most_common(),
        "By error": summary.errors.most_common(),
        "By model": summary.models.most_common(),
        "By month": [*months.items(), *([("undated", undated)] if undated else [])],
    }
    for title, counts in sections.items():
        if not counts:
            continue
        echo(f"\n{title}")
        width = max(len(name) for name, _ in counts)
        for name, number in counts:
            echo(f"  {name:<{width}}  {number:>12,}  {number / summary.photos:>7.1%}")
