"""Keeps the token out of everything that is written."""

from __future__ import annotations

import logging
from urllib.parse import quote


class _Redacting(logging.Formatter):
    """Formats as another formatter does, traceback included, with the token taken out."""

    def __init__(self, formatter: logging.Formatter, token: str) -> None:
        super().__init__()
        self._formatter = formatter
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        text = self._formatter.format(record)
        for secret in (self._token, quote(self._token, safe="")):  # as it is, and as in URLs
            text = text.replace(secret, "<token>")
        return text


def keep_out_of_logs(token: str) -> None:
    """Redact the token on every handler that there is; httpx logs URLs, which carry it."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Redacting(handler.formatter or logging.Formatter(), token))
