"""The commands that file photos."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.console import Terminal, count_up, print_json
from core.errors import ExitCode
from core.options import (
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
    threshold_option,
)

if TYPE_CHECKING:
    from core.classifier import Classifier
    from sorter.outcome import FileOutcome
    from sorter.routes import Routes
    from sorter.scan import Inbox

Command = TypeVar("Command", bound=Callable[..., Any])


def _filing_options(command: Command) -> Command:
    """Add what sort and watch have in common."""
    for add in (
        json_option,
        model_option,
        threshold_option,
        option(
            "--others",
            type=click.Choice(["leave", "move"]),
            default="leave",
            show_default=True,
            help="What to do with photos that are not filed: leave them, or move them to unsure/, "
            "other/ and unreadable/.",
        ),
        option("--recursive", is_flag=True, help="Look into subfolders, too."),
        option(
            "--into",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where cats/ and dogs/ are, or will be.  [default: FOLDER]",
        ),
    ):
        command = add(command)
    return command


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@option("--dry-run", is_flag=True, help="Only say what would happen.")
@option("--copy", is_flag=True, help="Copy photos and leave the originals.")
@_filing_options
@pass_settings
@click.pass_context
def sort(
    context: click.Context,
    settings: Settings,
    folder: Path,
    dry_run: bool,
    copy: bool,
    into: Path | None,
    recursive: bool,
    others: str,
    threshold: float | None,
    model_choice: str | None,
    json: bool,
) -> None:
    """Move the photos of FOLDER into cats/ and dogs/, once.

    A photo that is not clearly one of them stays where it is. Nothing is ever overwritten.
    """
    from core.errors import UsageRefused
    from core.image import display
    from core.photos import FileKind
    from sorter.mover import Mover
    from sorter.outcome import FileOutcome, Outcome
    from sorter.pipeline import sort_photos
    from sorter.summary import Summary

    plan = _plan(settings, folder, into, recursive, others, threshold, model_choice)
    try:
        found = list(plan.inbox.files())
    except OSError as error:
        raise UsageRefused(f"{display(folder)} cannot be listed: {error.strerror}.") from error
    photos = [file.path for file in found if file.kind is FileKind.PHOTO]
    summary = Summary()

    def tell(outcome: FileOutcome) -> None:
        summary.add(outcome)
        if json or outcome.outcome is not Outcome.NOT_A_PHOTO:
            _tell(outcome, plan, json=json)

    for file in found:
        if file.kind is FileKind.NOT_A_PHOTO:
            tell(FileOutcome(file.path, Outcome.NOT_A_PHOTO))
    mover = Mover(copy=copy, dry_run=dry_run)
    with Terminal().progress("Sorting", len(photos)) as told:
        one_more = count_up(told)
        for outcome in sort_photos(plan.classifier, photos, plan.routes, mover):
            tell(outcome)
            one_more()
    for words in summary.lines(
        plan.routes.threshold, dry_run=dry_run, move_others=others == "move"
    ):
        click.echo(words, err=json)
    if summary.failed:
        context.exit(ExitCode.SOME_FAILED)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@option(
    "--settle",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds that a file must not have changed before it is looked at.",
)
@_filing_options
@pass_settings
def watch(
    settings: Settings,
    folder: Path,
    settle: float,
    into: Path | None,
    recursive: bool,
    others: str,
    threshold: float | None,
    model_choice: str | None,
    json: bool,
) -> None:
    """Move the photos of FOLDER into cats/ and dogs/, those there and those that come.

    Runs until Ctrl-C, or SIGTERM, and finishes the photo in hand.
    """
    from core.image import display
    from sorter.watch import Watcher

    # events carry real paths on some systems, whatever the path that was asked for
    folder, into = folder.resolve(), into.resolve() if into else None
    plan = _plan(settings, folder, into, recursive, others, threshold, model_choice)
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    version = plan.classifier.manifest.version
    click.echo(
        f"Watching {display(plan.inbox.folder)} with the model {version}; photos go to "
        f"{display(plan.inbox.destination)}. Ctrl-C ends it.",
        err=json,
    )
    watcher = Watcher(plan.inbox, plan.classifier, plan.routes, settle=settle)
    for outcome in watcher.run(stop):
        _tell(outcome, plan, json=json)
    click.echo("Stopped.", err=json)


@dataclass(frozen=True, slots=True)
class _Plan:
    inbox: Inbox
    classifier: Classifier
    routes: Routes


def _plan(
    settings: Settings,
    folder: Path,
    into: Path | None,
    recursive: bool,
    others: str,
    threshold: float | None,
    model_choice: str | None,
) -> _Plan:
    """Check the folders before anything is loaded, then load the model."""
    from core.classifier import Classifier
    from core.manifest import read_manifest
    from core.model_store import class_folders, find_model
    from sorter.routes import Routes
    from sorter.scan import Inbox

    model = find_model(settings.models_dir, model_choice)
    manifest = read_manifest(model)
    own = {photo_class.folder for photo_class in manifest.classes}
    destination = into or folder
    inbox = Inbox(
        folder=folder,
        destination=destination,
        recursive=recursive,
        class_folders=class_folders(settings.models_dir) | own,
    )
    inbox.check()
    routes = Routes(
        manifest,
        destination,
        manifest.threshold if threshold is None else threshold,
        move_others=others == "move",
    )
    return _Plan(inbox, Classifier(model), routes)


def _tell(outcome: FileOutcome, plan: _Plan, *, json: bool) -> None:
    """Print what came of one file, as a line or as JSON."""
    from sorter.summary import json_object, line

    if json:
        print_json(json_object(outcome))
        return
    manifest, destination = plan.routes.manifest, plan.inbox.destination
    click.echo(line(outcome, manifest, plan.routes.threshold, destination))
