"""Secrets: read from the environment or a file, and never shown."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import quote

from core.errors import UsageRefused
from core.paths import display


class Secret:
    """A text that has to be asked for to be seen."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def hide_in(self, text: str) -> str:
        """Take the secret out of a text, as it is and as it stands in URLs."""
        for written in (self._text, quote(self._text, safe="")):
            text = text.replace(written, "<token>")
        return text

    def __repr__(self) -> str:
        return "Secret(...)"


def take_secret(environ: MutableMapping[str, str], variable: str) -> Secret | None:
    """Take a secret out of the environment, or out of the file that `<variable>_FILE` names.

    It is gone from `environ` then, so that no program that is started from here inherits it.
    Raises UsageRefused if the file cannot be read or is empty.
    """
    text = environ.pop(variable, "").strip()
    name = environ.get(f"{variable}_FILE", "")
    if text or not name:
        return Secret(text) if text else None
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise UsageRefused(
            f"{variable}_FILE names {display(path)}, which cannot be read ({reason})."
        ) from None
    if not text:
        raise UsageRefused(f"{variable}_FILE names {display(path)}, which is empty.")
    return Secret(text)
