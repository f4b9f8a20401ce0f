"""What the bot logs: never a secret, nothing about a person, and of an outage a line."""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from telegram.error import TelegramError

from bot.secret import Secret

# Whose lines are written as they are. Others' hold, at one level or another, whole messages, EXIF,
# addresses of files: of those the text without what is filled in is written, and nothing at DEBUG.
_OWN = ("bot", "catdog", "core", "sorter", "__main__")
_USER_INFO = re.compile(r"(\w+://)[^/\s@'\"]+@")
_BLANK = re.compile(r"%(\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]")
_FIELDS = ("purpose", "outcome", "photo", "photos")  # what `extra` may hold


class _Redacting(logging.Formatter):
    """Formats as another formatter does, traceback included, and takes secrets out."""

    def __init__(self, formatter: logging.Formatter, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if not _is_own(record):
            text = _BLANK.sub("…", str(record.msg)).partition("\n")[0]
            record = _bare(record, text, error)
        elif isinstance(error, TelegramError):  # the network's or Telegram's doing, no bug
            record = _bare(record, record.getMessage(), error)
        text = self._formatter.format(record)
        for secret in self._secrets:
            text = secret.hide_in(text)
        return _USER_INFO.sub(r"\1<hidden>@", text)


class _NoOthersDetails(logging.Filter):
    """Drops what others write at DEBUG, however they set their own level."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _is_own(record) or record.levelno > logging.DEBUG


def _is_own(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in _OWN


def _bare(record: logging.LogRecord, text: str, error: BaseException | None) -> logging.LogRecord:
    """Return a line with a text of its own, and of an error its kind alone."""
    record = copy.copy(record)
    record.args, record.exc_info, record.exc_text, record.stack_info = None, None, None, None
    record.msg = text if error is None else f"{text} ({type(error).__name__})"
    return record


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
    """Redact secrets on every handler that there is, and quieten what names people."""
    secrets = list(secrets)
    for handler in logging.getLogger().handlers:
        plain = _Json() if as_json else _Fields(handler.formatter or logging.Formatter())
        handler.setFormatter(_Redacting(plain, secrets))
        handler.addFilter(_NoOthersDetails())
    level = logging.getLogger().level
    # every getUpdates would be a line, and the address of each file that people send
    logging.getLogger("httpx").setLevel(max(logging.WARNING, level))


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
