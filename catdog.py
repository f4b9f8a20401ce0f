"""The command line: puts together the commands of core, sorter and bot."""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from bot.cli import bot
from core.cli import evaluate, predict, train
from core.errors import CatdogError, ExitCode
from core.options import Settings, option
from sorter.cli import sort
from sorter.daemon.cli import status, watch
from sorter.doctor.cli import doctor
from sorter.journal.cli import history, undo


class _Group(click.Group):
    """The one place where failures become exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CatdogError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(ExitCode.INTERRUPTED)


def _load_env_file(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> Path | None:
    """Fill the environment before any other option is read; what is set there already wins."""
    if path is None:
        path = Path(".env")
        if not os.path.isfile(path):
            return None
    from dotenv import load_dotenv

    load_dotenv(path, override=False)
    return path


def _default_models_dir() -> Path:
    from platformdirs import user_data_path

    return user_data_path("catdog", appauthor=False) / "models"


def _default_state_dir() -> Path:
    from platformdirs import user_state_path

    return user_state_path("catdog", appauthor=False)


@click.group(
    cls=_Group,
    context_settings={"auto_envvar_prefix": "CATDOG", "help_option_names": ["-h", "--help"]},
)
@option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_load_env_file,
    help="File of settings to read.  [default: .env in the current folder, if it is there]",
)
@option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=_default_models_dir,
    show_default="the platform's data folder",
    help="Where your own models are kept.",
)
@option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=_default_state_dir,
    show_default="the platform's state folder",
    help="Where the journal of what was moved is kept; on a local disk.",
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="warning",
    show_default=True,
    help="How much to tell on standard error.",
)
@click.version_option(package_name="catdog", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, models_dir: Path, state_dir: Path, log_level: str) -> None:
    """Tells cats from dogs: sorts photo folders, answers photos in Telegram, and learns."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a pipe on Windows cannot take every file name: show what it cannot, do not fail
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    context.obj = Settings(models_dir, state_dir.absolute())


for _command in (predict, sort, watch, status, undo, history, doctor, bot, train, evaluate):
    main.add_command(_command)


if __name__ == "__main__":
    main()
