"""`catdog watch` and `catdog status`: the daemon, and how it is doing."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import FolderPath, Number, Settings, json_option, option, pass_settings
from core.errors import CatdogError, ExitCode
from core.paths import display
from core.runtime.console import print_json
from core.runtime.sd_notify import ServiceManager
from core.store.database import Store
from sorter.commands.filing_options import filing_options, make_plan, recover_and_report
from sorter.signals import StopOrNewModel, graceful_shutdown

if TYPE_CHECKING:
    from core.model.classifier import Classifier
    from sorter.filing.plan import FilingOptions, FilingPlan
    from sorter.watching.status import DaemonStatus


@click.command()
@click.argument("folder", type=FolderPath())
@option(
    "--settle",
    type=Number(min=0),
    default=2.0,
    show_default=True,
    help="Seconds that a file must not have changed before it is looked at.",
)
@option(
    "--poll",
    is_flag=True,
    help="Look through the folder every few seconds instead of waiting for the system's word; "
    "chosen by itself on network and FUSE file systems.",
)
@filing_options
@pass_settings
def watch(
    settings: Settings, /, folder: Path, settle: float, poll: bool, json: bool, **chosen: Any
) -> None:
    """Move the photos of FOLDER into cats/ and dogs/, those there and those that come.

    Runs until Ctrl-C, or SIGTERM, and finishes the photo in hand. `catdog status` tells how it
    is doing.
    """
    from core.model.live import Serving
    from sorter.commands.outcome_lines import OutcomePrinter
    from sorter.filing.plan import FilingOptions
    from sorter.watching.daemon import Daemon, only_daemon
    from sorter.watching.watcher import Watcher

    options = FilingOptions(**chosen)
    serving = Serving(settings.models_dir, options.model_choice)
    plan = make_plan(settings, folder, options, classifier=serving.classifier())
    with (
        closing(Store(settings.state_dir)) as store,
        only_daemon(store, plan.inbox.folder),
        graceful_shutdown() as stop,
    ):
        plan.check(store)
        recover_and_report(store, plan.folders)
        manager = ServiceManager.from_environment(os.environ)
        has_events = _announce(plan, err=json)
        with closing(Daemon(store, plan, manager=manager)) as daemon:
            manager.ready()
            while True:
                until = StopOrNewModel(stop, serving)
                watcher = Watcher(plan, daemon, store, settle=settle, poll=poll or not has_events)
                printer = OutcomePrinter(plan, folder, as_json=json)
                for outcome in watcher.run(until):
                    printer.print(outcome)
                if stop.is_set() or not until.is_set():
                    break
                renewed = _with_new_model(settings, folder, options, serving.classifier(), err=json)
                if renewed is not None:
                    plan = renewed
                    daemon.use(plan)
    click.echo("Stopped.", err=json)


def _announce(plan: FilingPlan, *, err: bool) -> bool:
    """Print what is watched; return whether its file system reports changes."""
    from sorter.moving.filesystem import file_system_of

    kind = file_system_of(plan.inbox.folder)
    how = ""
    if not kind.reports_changes:
        how = f" It is on {kind.kind}, which tells of no changes made elsewhere: polling."
    click.echo(
        f"Watching {display(plan.inbox.folder)} with the model {plan.routes.manifest.version}; "
        f"photos go to {display(plan.inbox.destination)}.{how} Ctrl-C ends it.",
        err=err,
    )
    return kind.reports_changes


def _with_new_model(
    settings: Settings, folder: Path, options: FilingOptions, new: Classifier, *, err: bool
) -> FilingPlan | None:
    """Return the plan with the model that serves now; None, with an error, if that cannot be."""
    version = new.manifest.version
    try:
        plan = make_plan(settings, folder, options, classifier=new)
    except CatdogError as error:  # its class folders may be in the way
        click.echo(f"Error: the model {version} is not used: {error}", err=True)
        return None
    click.echo(f"The model {version} sorts from now on.", err=err)
    return plan


@click.command()
@click.argument("folder", type=FolderPath(), required=False)
@json_option
@pass_settings
@click.pass_context
def status(context: click.Context, settings: Settings, folder: Path | None, json: bool) -> None:
    """Tell how `catdog watch` is doing: of FOLDER, or of all folders.

    With FOLDER, ends with 1 if no daemon is at work there.
    """
    from sorter.watching.status import statuses

    with closing(Store(settings.state_dir)) as store:
        found = statuses(store)
    if folder is not None:
        found = [one for one in found if one.folder == Path(os.path.realpath(folder))]
    for one in found:
        if json:
            print_json({**asdict(one), "folder": str(one.folder)})
        else:
            for line in _status_lines(one):
                click.echo(line)
    if not found:
        click.echo("No daemon watches it." if folder else "No daemon is running.", err=json)
    if folder is not None and not any(one.is_alive and not one.is_stuck for one in found):
        context.exit(ExitCode.SOME_FAILED)


def _status_lines(status: DaemonStatus) -> list[str]:
    def when(seconds: float | None) -> str:
        if seconds is None:
            return "never"
        return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")

    state = "watching" if status.is_alive else "NOT RUNNING: it ended without a word"
    if status.is_stuck:
        state = "STUCK: alive, but no sign of life for minutes"
    how = "polling" if status.polling else f"last event {when(status.last_event)}"
    lines = [
        f"{display(status.folder)}: {state}",
        f"  process {status.pid}, since {when(status.started)}, {how}",
        f"  {status.filed} filed, {status.stayed} left, {status.failed} failed, "
        f"{status.waiting} waiting (as of {when(status.last_sign)})",
    ]
    if status.trouble:
        lines.append(f"  {status.trouble}")
    return lines
