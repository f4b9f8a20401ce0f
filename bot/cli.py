"""The command that runs the bot."""

from __future__ import annotations

import os

import click

from core.errors import CatdogError, UsageRefused
from core.options import Settings, model_option, option, pass_settings, threshold_option

TOKEN_VARIABLE = "CATDOG_BOT_TOKEN"


@click.command()
@option(
    "--api-url",
    default="https://api.telegram.org",
    show_default=True,
    help="Root of the Bot API server.",
)
@threshold_option
@model_option
@pass_settings
def bot(
    settings: Settings, api_url: str, threshold: float | None, model_choice: str | None
) -> None:
    """Run the Telegram bot: it answers photos with what it sees in them.

    The token that @BotFather gave you is read from CATDOG_BOT_TOKEN, in the environment or in
    .env; no option takes it, since others can see a command's options.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise UsageRefused(
            f"{TOKEN_VARIABLE} is not set. Ask @BotFather in Telegram for a bot and its token, "
            "and write it into .env (see .env.example)."
        )
    from telegram.error import InvalidToken, TelegramError

    from bot.app import build_application
    from bot.logs import keep_out_of_logs
    from core.classifier import Classifier
    from core.model_store import find_model

    keep_out_of_logs(token)
    classifier = Classifier(find_model(settings.models_dir, model_choice))
    manifest = classifier.manifest
    application = build_application(
        token,
        classifier,
        threshold=manifest.threshold if threshold is None else threshold,
        api_url=api_url,
    )
    click.echo(f"The bot runs with the model {manifest.version}. Ctrl-C ends it.")
    try:
        application.run_polling(allowed_updates=["message"], bootstrap_retries=3)
    except InvalidToken:
        raise UsageRefused(
            f"Telegram does not accept the token in {TOKEN_VARIABLE}. Ask @BotFather for it again."
        ) from None
    except TelegramError as error:  # its text may hold the token
        raise CatdogError(
            f"The Bot API at {api_url} cannot be reached ({type(error).__name__}). Check the "
            "network and CATDOG_BOT_API_URL, then start again."
        ) from None
    click.echo("Stopped.")
