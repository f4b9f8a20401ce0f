"""What the bot logs: never the token, and of an outage a line, not a traceback."""

from __future__ import annotations

import copy
import logging
from urllib.parse import quote

from telegram.error import TelegramError


class _BotFormatter(logging.Formatter):
    """Formats as another formatter does, traceback included, and takes the token out."""

    def __init__(self, formatter: logging.Formatter, token: str) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = (token, quote(token, safe=""))  # as it is, and as in URLs

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, TelegramError):  # the network's or Telegram's doing, no bug
            record = copy.copy(record)
            record.msg = f"{record.getMessage()} ({type(error).__name__})"
            record.args, record.exc_info, record.exc_text = None, None, None
        text = self._formatter.format(record)
        for secret in self._secrets:
            text = text.replace(secret, "<token>")
        return text


def keep_out_of_logs(token: str) -> None:
    """Redact the token on every handler that there is; httpx logs URLs, which carry it."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_BotFormatter(handler.formatter or logging.Formatter(), token))
