"""The command that tells what could go wrong before anything does."""

from __future__ import annotations

from pathlib import Path

import click

from core.console import print_json
from core.errors import ExitCode
from core.options import Settings, json_option, option, pass_settings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@option(
    "--into",
    type=click.Path(path_type=Path),
    help="Where cats/ and dogs/ are, or will be.  [default: FOLDER]",
)
@option("--recursive", is_flag=True, help="Look into subfolders, too.")
@json_option
@pass_settings
@click.pass_context
def doctor(
    context: click.Context,
    settings: Settings,
    folder: Path,
    into: Path | None,
    recursive: bool,
    json: bool,
) -> None:
    """Tell what could go wrong with FOLDER: its disk, permissions, space, limits.

    Nothing is written. Ends with 1 if anything found is an error.
    """
    from sorter.doctor.checks import Severity, examine

    found = examine(folder, into or folder, settings.state_dir, recursive=recursive)
    for one in found:
        if json:
            print_json({"check": one.check, "severity": one.severity, "message": one.message})
        else:
            click.echo(f"{one.severity:<8} {one.check}: {one.message}")
    if any(one.severity is Severity.ERROR for one in found):
        context.exit(ExitCode.SOME_FAILED)
