"""The command that measures a model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
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
from core.runtime.console import Terminal, count_up, echo, print_json
from core.training.extra import load_training_packages

# What it needs is imported by it, so that --help does not wait for scikit-learn.
if TYPE_CHECKING:
    from core.training.evaluation.examine import Examination


@dataclass(frozen=True, slots=True)
class _Options:
    data: Path
    variations: bool
    html: Path | None
    mistakes: Path | None
    threshold: float | None
    model_choice: str | None
    json: bool


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@option(
    "--variations",
    is_flag=True,
    help="Measure cats and dogs turned, dark, blurred, small and two in one photo, too: 14 times "
    "the work.",
)
@option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with all figures, plots and the worst mistakes to this file.",
)
@option(
    "--mistakes",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write picture sheets of the worst mistakes to this folder, new or empty.",
)
@threshold_option
@model_option
@json_option
@pass_settings
@click.pass_context
def evaluate(context: click.Context, settings: Settings, /, **given: Any) -> None:
    """Measure a model on labelled folders: DATA holds cats/, dogs/ and, if wanted, other/.

    It may be anything else that `catdog train` takes, but for parts.
    """
    options = _Options(**given)
    load_training_packages("evaluate", "core.training.report.tables")
    if options.html is not None:
        load_training_packages("evaluate", "core.training.report.evaluation_page")
    _refuse_outputs(options)
    from core.training.data.archives import unpacked
    from core.training.report.tables import evaluation_lines, evaluation_object

    data = context.with_resource(unpacked(options.data, partial(echo, err=True)))
    examination = _examine(options, data, settings)
    _write_files(options, examination)
    if options.json:
        print_json(evaluation_object(examination))
        return
    for fault in examination.measured.predicted.faults:
        click.echo(f"Skipped: {fault.reason}", err=True)
    for line in evaluation_lines(examination):
        click.echo(line)


def _refuse_outputs(options: _Options) -> None:
    from core.errors import UsageRefused
    from core.paths import display
    from core.runtime.output_files import refuse_if_not_empty

    if options.mistakes is not None:
        refuse_if_not_empty(options.mistakes, "--mistakes")
    if options.html is not None and options.html.suffix.lower() not in (".html", ".htm"):
        raise UsageRefused(f"{display(options.html)} must end in .html: it is written over.")


def _examine(options: _Options, data: Path, settings: Settings) -> Examination:
    from core.model.manifest import read_manifest
    from core.model.registry import find_model
    from core.training.data.labelled import scan
    from core.training.evaluation.examine import examine

    labelled = scan(data)
    for note in labelled.notes:
        echo(note, err=True)
    model = find_model(settings.models_dir, options.model_choice)
    work = len(labelled.photos)
    if options.variations:
        filed = {one.label for one in read_manifest(model).filed}
        work += sum(photo.label in filed for photo in labelled.photos)
    with Terminal().progress("Measuring", work) as on_progress:
        return examine(
            model,
            labelled.photos,
            threshold=options.threshold,
            variations=options.variations,
            on_photo=count_up(on_progress),
        )


def _write_files(options: _Options, examination: Examination) -> None:
    from core.runtime.output_files import writing
    from core.training.report.mistakes import worst_mistakes, write_sheets

    if options.html is not None:
        from core.training.report.evaluation_page import evaluation_page

        with writing(options.html):
            options.html.write_text(evaluation_page(examination), encoding="utf-8")
    if options.mistakes is not None:
        with writing(options.mistakes):
            predicted, labels = examination.measured.predicted, examination.manifest.labels
            write_sheets(worst_mistakes(predicted, labels), options.mistakes)
