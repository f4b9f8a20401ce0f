"""What the bot says."""

from __future__ import annotations

from core.errors import UnreadableCode
from core.labels import Role
from core.manifest import Manifest
from core.prediction import Decision
from core.wording import describe

MAX_MEGABYTES = 20  # the Bot API hands out no larger files

TOO_BIG = f"That file is over {MAX_MEGABYTES} MB, more than I can fetch. Send it smaller."
TRY_AGAIN = "Something went wrong with that photo, and it was not your fault. Try again."
NOT_READABLE = "I cannot read that file. Send it as JPEG, PNG, WebP or HEIC."
DAMAGED = "That photo arrived damaged or in part. Send it once more."
TOO_MANY_PIXELS = "That picture is too large for me to open. Send it smaller."


def greeting(manifest: Manifest) -> str:
    """Say what the bot does."""
    kinds = [c.words["en"] for c in manifest.classes if c.role is Role.FILE]
    return f"Send me a photo, and I will tell whether I see: {', '.join(kinds)}, or neither."


def answer(decision: Decision, manifest: Manifest) -> str:
    """Say what is in a photo."""
    words = describe(decision, manifest)
    return words[0].upper() + words[1:]


def unreadable(code: UnreadableCode) -> str:
    """Say why a file could not be looked at."""
    if code is UnreadableCode.TOO_LARGE:
        return TOO_MANY_PIXELS
    if code in (UnreadableCode.EMPTY, UnreadableCode.TRUNCATED):
        return DAMAGED
    return NOT_READABLE
