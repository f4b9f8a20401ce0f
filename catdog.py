"""The command line: puts together the commands of core, sorter and bot."""

from __future__ import annotations

import logging
import os
import pkgutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import (
    ChatNumber,
    FolderPath,
    Settings,
    json_option,
    model_option,
    option,
    pass_settings,
)
from core.errors import CatdogError, ExitCode, UsageRefused
from core.images.budget import DEFAULT_MEGABYTES, MEGABYTE, budget, return_freed_memory
from core.runtime.console import print_json
from core.runtime.standard_output import (
    give_up_output,
    is_of_output,
    output_words,
    set_up_streams,
)

if TYPE_CHECKING:
    from core.findings import Finding
    from core.store.database import Store

COMMANDS = {  # where each is, but for doctor: only the one that is asked for is imported
    "predict": "core.commands.predict:predict",
    "sort": "sorter.commands.sort:sort",
    "watch": "sorter.commands.watch:watch",
    "review": "sorter.commands.review:review",
    "status": "sorter.commands.watch:status",
    "undo": "sorter.commands.past_runs:undo",
    "history": "sorter.commands.past_runs:history",
    "bot": "bot.cli:bot",
    "train": "core.commands.train:train",
    "evaluate": "core.commands.evaluate:evaluate",
    "explain": "core.commands.explain:explain",
    "models": "core.commands.models:models",
    "archive": "core.commands.archive:archive",
    "archive-report": "core.commands.archive:archive_report",
    "feedback": "core.commands.feedback:feedback",
}


class _Group(click.Group):
    """Imports commands when they are called for; turns failures into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*COMMANDS, *super().list_commands(ctx)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = pkgutil.resolve_name(COMMANDS[cmd_name])
        return command

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        try:
            return super().make_context(*args, **extra)
        except OSError as error:  # from --help and --version
            sys.exit(_end_output(error))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CatdogError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            ctx.exit(_end_output(error))
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(ExitCode.INTERRUPTED)


def _end_output(error: OSError) -> ExitCode:
    """Return how to end when standard output takes nothing more; raise any other error again."""
    if not is_of_output(error):
        raise error
    give_up_output()
    if isinstance(error, BrokenPipeError):  # `| head` has enough
        return ExitCode.OK
    with suppress(OSError):
        click.echo(output_words(error), err=True)
    return ExitCode.SOME_FAILED


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
@option(
    "--decode-mb",
    type=click.IntRange(min=50),
    default=DEFAULT_MEGABYTES,
    show_default=True,
    metavar="MB",
    help="Memory for decoding photos, all at once; one may take 400 MB of it.",
)
@click.version_option(package_name="catdog-photos", message="%(prog)s %(version)s")
@click.pass_context
def main(
    context: click.Context, models_dir: Path, state_dir: Path, log_level: str, decode_mb: int
) -> None:
    """Tells cats from dogs: sorts photo folders, answers photos in Telegram, and learns."""
    set_up_streams()
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return_freed_memory()
    budget.set_total(decode_mb * MEGABYTE)
    context.obj = Settings(models_dir, state_dir.absolute(), _notice_corrections)


@dataclass(frozen=True, slots=True)
class _DoctorOptions:
    folder: Path | None
    into: Path | None
    recursive: bool
    of_bot: bool
    api_url: str
    webhook_url: str | None
    allow_user: tuple[int, ...]
    model_choice: str | None
    json: bool


def _notice_corrections(store: Store, models_dir: Path) -> None:
    from sorter.undoing.corrections import notice_everywhere

    notice_everywhere(store, models_dir)


@main.command()
@click.argument("folder", required=False, type=FolderPath())
@option(
    "--into",
    type=FolderPath(),
    help="Where cats/ and dogs/ are, or will be.  [default: FOLDER]",
)
@option("--recursive", is_flag=True, help="Look into subfolders, too.")
@option("--bot", "of_bot", is_flag=True, help="Look at the bot: token, groups, webhook, clock.")
@option(
    "--api-url",
    envvar="CATDOG_BOT_API_URL",
    default="https://api.telegram.org",
    show_default=True,
    help="With --bot: root of the Bot API server.",
)
@option(
    "--webhook-url",
    envvar="CATDOG_BOT_WEBHOOK_URL",
    metavar="URL",
    help="With --bot: where the bot is to have Telegram send messages.",
)
@option(
    "--allow-user",
    envvar="CATDOG_BOT_ALLOW_USER",
    multiple=True,
    type=ChatNumber("CATDOG_BOT_ALLOW_USER"),
    metavar="NUMBER",
    help="With --bot: a person to whom a file may be sent, and taken away again, to see whether a "
    "server that is not Telegram's hands it out.",
)
@model_option
@json_option
@pass_settings
@click.pass_context
def doctor(context: click.Context, settings: Settings, /, **options: Any) -> None:
    """Tell what could go wrong with FOLDER: its disk, permissions, space, limits; or, with --bot,
    with the bot.

    Nothing is written here. Ends with 1 if anything found is an error.
    """
    from core.findings import Severity

    asked = _DoctorOptions(**options)
    found: list[Finding] = []
    if asked.folder is not None:
        from sorter.doctor.checks import examine

        into = asked.into or asked.folder
        found += examine(asked.folder, into, settings.state_dir, recursive=asked.recursive)
    elif not asked.of_bot:
        raise UsageRefused("Name the folder to look at, or say --bot.")
    if asked.of_bot:
        found += _examine_bot(settings, asked)
    for one in found:
        if asked.json:
            print_json({"check": one.check, "severity": one.severity, "message": one.message})
        else:
            click.echo(f"{one.severity:<8} {one.check}: {one.message}")
    if any(one.severity is Severity.ERROR for one in found):
        context.exit(ExitCode.SOME_FAILED)


def _examine_bot(settings: Settings, asked: _DoctorOptions) -> list[Finding]:
    from bot.cli import TOKEN_VARIABLE, check_api_url
    from bot.doctor import BotExamination
    from bot.secret import take_secret
    from bot.service.logs import set_up_logs
    from bot.telegram.connection import make_ready, secrets_in

    token = take_secret(os.environ, TOKEN_VARIABLE)
    known = [] if token is None else [token]
    set_up_logs([*known, *secrets_in(os.environ, asked.api_url)])
    if token is not None:
        check_api_url(asked.api_url, token)
    make_ready(os.environ, asked.api_url)
    examination = BotExamination(
        token,
        api_url=asked.api_url,
        webhook_url=asked.webhook_url,
        models_dir=settings.models_dir,
        state_dir=settings.state_dir,
        model=asked.model_choice,
        owner=asked.allow_user[0] if asked.allow_user else None,
    )
    return examination.findings()


if __name__ == "__main__":
    main()
