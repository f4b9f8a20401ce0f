"""The command that runs the bot."""

from __future__ import annotations

import functools
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.secret import Secret, take_secret
from bot.settings import BotSettings, Webhook
from core.commands.options import (
    ChatNumber,
    Settings,
    model_option,
    option,
    pass_settings,
    threshold_option,
)
from core.errors import CatdogError, UsageRefused

if TYPE_CHECKING:
    from core.model.live import Serving

TOKEN_VARIABLE = "CATDOG_BOT_TOKEN"
WEBHOOK_SECRET_VARIABLE = "CATDOG_BOT_WEBHOOK_SECRET"
_option = functools.partial(option, show_default=True)


def check_api_url(api_url: str, token: Secret) -> None:
    """Raise UsageRefused if an address is no root of a Bot API server."""
    if not api_url.startswith(("http://", "https://")):
        raise UsageRefused(
            "CATDOG_BOT_API_URL (--api-url) is an address that starts with https:// or http://. "
            f"Received: {token.hide_in(api_url)}"
        )
    path = re.sub(r"^https?://[^/?#]*", "", api_url).rstrip("/")
    if re.search(r"(^|/)bot(\d+(:|%3A).*)?$", path) or "?" in path or "#" in path:
        raise UsageRefused(
            "CATDOG_BOT_API_URL (--api-url) is the root of the Bot API server, such as "
            "https://api.telegram.org: without /bot and without a token. Received: "
            f"{token.hide_in(api_url)}"
        )


@click.command()
@_option(
    "--api-url",
    default="https://api.telegram.org",
    help="Root of the Bot API server.",
)
@_option(
    "--queue",
    type=click.IntRange(min=1),
    default=1000,
    help="Photos that may wait in all; with more the bot says that it is busy.",
)
@_option(
    "--person-rate",
    type=click.IntRange(min=1),
    default=60,
    help="Photos that a person may send at once, and as many a minute after.",
)
@_option(
    "--max-mb",
    type=click.IntRange(1, 256),
    default=20,
    help="Largest file to fetch. Telegram's own server hands out no more than 20 MB.",
)
@_option(
    "--keep-photos",
    type=click.Choice(["ask", "off"]),
    default="ask",
    help="Ask people once whether photos that they correct may be kept for training, or keep none.",
)
@_option(
    "--allow-user",
    multiple=True,
    type=ChatNumber("CATDOG_BOT_ALLOW_USER"),
    metavar="NUMBER",
    help="Answer only this person; can be given more than once. The bot tells strangers their "
    "number.",
)
@_option(
    "--allow-chat",
    multiple=True,
    type=ChatNumber("CATDOG_BOT_ALLOW_CHAT"),
    metavar="NUMBER",
    help="Answer only in this group, and follow it when it becomes a supergroup; can be given more "
    "than once.",
)
@_option(
    "--send-rate",
    type=click.IntRange(min=0),
    default=30,
    help="Messages a second; 0 for no limit. Telegram's own server allows 30.",
)
@_option(
    "--webhook-url",
    metavar="URL",
    help="Have Telegram send messages to this address (https) instead of asking for them.",
)
@_option(
    "--webhook-listen",
    default="127.0.0.1",
    help="Address to listen on, behind a proxy that ends TLS.",
)
@_option(
    "--webhook-port",
    type=click.IntRange(1, 65535),
    default=8080,
    help="Port to listen on.",
)
@_option(
    "--health-port",
    type=click.IntRange(1, 65535),
    help="Port on 127.0.0.1 for /health and Prometheus's /metrics.  [default: none]",
)
@_option("--log-json", is_flag=True, help="Log one JSON object a line.")
@threshold_option
@model_option
@pass_settings
def bot(settings: Settings, /, model_choice: str | None, *, log_json: bool, **options: Any) -> None:
    """Run the Telegram bot: it answers photos with what it sees in them.

    The token that @BotFather gave you is read from CATDOG_BOT_TOKEN, in the environment or in
    .env, or from the file that CATDOG_BOT_TOKEN_FILE names; no option takes it, since others can
    see a command's options. CATDOG_BOT_WEBHOOK_SECRET (or _FILE) is the secret that Telegram
    shows with each message to a webhook; without one, one is made up at each start.
    """
    token = take_secret(os.environ, TOKEN_VARIABLE)
    secret = take_secret(os.environ, WEBHOOK_SECRET_VARIABLE)
    if token is None:
        raise UsageRefused(
            f"{TOKEN_VARIABLE} is not set. Ask @BotFather in Telegram for a bot and its token, "
            "and write it into .env (see .env.example)."
        )
    chosen = _bot_settings(token, secret, options)

    from bot.service.logs import set_up_logs
    from bot.telegram.connection import make_ready, secrets_in
    from core.model.live import Serving

    passwords = secrets_in(os.environ, chosen.api_url)
    set_up_logs([token, *([] if secret is None else [secret]), *passwords], as_json=log_json)
    make_ready(os.environ, chosen.api_url)
    _serve(token, Serving(settings.models_dir, model_choice), settings.state_dir, chosen)
    click.echo("Stopped.")


def _bot_settings(token: Secret, secret: Secret | None, options: dict[str, Any]) -> BotSettings:
    """Check the options, and return them as the bot takes them. Raises UsageRefused."""
    check_api_url(options["api_url"], token)
    url = options.pop("webhook_url")
    if url is not None and not url.startswith("https://"):
        raise UsageRefused(
            f"Telegram sends only to https. Received: --webhook-url {token.hide_in(url)}. "
            "Put a proxy that ends TLS before the bot (docs/deploy.md has one)."
        )
    if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret.reveal()):
        raise UsageRefused(
            f"{WEBHOOK_SECRET_VARIABLE} must be 1 to 256 letters, digits, _ or -: Telegram takes "
            "no others."
        )
    listen, port = options.pop("webhook_listen"), options.pop("webhook_port")
    shown = secret or Secret(secrets.token_urlsafe(32))
    return BotSettings(
        webhook=None if url is None else Webhook(url, listen, port, shown),
        max_bytes=options.pop("max_mb") * 2**20,
        asks_for_photos=options.pop("keep_photos") == "ask",
        allowed_users=frozenset(options.pop("allow_user")),
        allowed_chats=frozenset(options.pop("allow_chat")),
        **options,
    )


def _serve(token: Secret, serving: Serving, state_dir: Path, settings: BotSettings) -> None:
    """Run the bot until it is stopped. Raises CatdogError, whose text holds no token."""
    import asyncio
    import logging

    from telegram.error import InvalidToken, TelegramError

    from bot.app import Bot
    from bot.run import run

    version = serving.classifier().manifest.version

    async def serve() -> None:
        await run(
            Bot(token, serving.classifier, state_dir, settings),
            ready=lambda: click.echo(f"The bot runs with the model {version}. Ctrl-C ends it."),
        )

    try:
        asyncio.run(serve())
    except InvalidToken:
        raise UsageRefused(
            f"Telegram does not accept the token in {TOKEN_VARIABLE}. Ask @BotFather for it again."
        ) from None
    except TelegramError as error:  # its text may hold the token
        raise CatdogError(
            f"The Bot API at {token.hide_in(settings.api_url)} cannot be reached "
            f"({type(error).__name__}). Check the network and CATDOG_BOT_API_URL, then start again."
        ) from None
    except CatdogError:
        raise
    except Exception:  # a traceback would be printed as it is, and may hold the token
        logging.getLogger(__name__).critical("the bot has a bug and stops", exc_info=True)
        raise CatdogError("The bot stopped because of a bug; the log has it.") from None
