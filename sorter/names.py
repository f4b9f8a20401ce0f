"""When two names are the same to people."""

from __future__ import annotations

import unicodedata


def fold(name: str) -> str:
    """Return a name as it is compared: in any case, and however its accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
