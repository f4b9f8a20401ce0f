"""What the bot logs: never a secret, nothing about a person, and of an outage a line."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from telegram.error import TelegramError

from bot.service.secret import Secret

# At DEBUG these write whole messages: names, texts, numbers of chats.
_TALKATIVE = ("telegram", "httpx", "httpcore", "asyncio", "tornado")
_OURS = ("purpose", "outcome", "photo", "photos")  # what `extra` may hold


class _Redacting(logging.Formatter):
    """Formats as another formatter does, traceback included, and takes secrets out."""

    def __init__(self, formatter: logging.Formatter, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if "Received data was" in str(record.msg):  # the library's, with whole messages
            record = copy.copy(record)
            record.msg = "an update could not be read, and is dropped"
            record.args, record.exc_info, record.exc_text = None, None, None
        elif isinstance(error, TelegramError):  # the network's or Telegram's doing, no bug
            record = copy.copy(record)
            record.msg = f"{record.getMessage()} ({type(error).__name__})"
            record.args, record.exc_info, record.exc_text = None, None, None
        text = self._formatter.format(record)
        for secret in self._secrets:
            text = secret.hide_in(text)
        return text


class _Fields(logging.Formatter):
    """Adds what a line carries beside its text."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields_of(record).items())
        first, newline, rest = self._formatter.format(record).partition("\n")
        return f"{first}{fields}{newline}{rest}"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(secrets: Iterable[Secret], *, as_json: bool = False) -> None:
    """Redact secrets on every handler that there is, and quieten who tells about people."""
    secrets = list(secrets)
    for handler in logging.getLogger().handlers:
        plain = _Json() if as_json else _Fields(handler.formatter or logging.Formatter())
        handler.setFormatter(_Redacting(plain, secrets))
    level = logging.getLogger().level
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, level))
    # every getUpdates would be a line, and the address of each file that people send
    logging.getLogger("httpx").setLevel(max(logging.WARNING, level))


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in _OURS if hasattr(record, name)}
