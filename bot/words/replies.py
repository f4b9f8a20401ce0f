"""What the bot says, put together from a catalogue and a model."""

from __future__ import annotations

from bot.words.catalogue import Words
from core.errors import UnreadableCode
from core.labels import Role
from core.manifest import Manifest
from core.wording import percent

_EMOJI = {"cat": "🐱", "dog": "🐶"}


def answer(
    words: Words, manifest: Manifest, *, label: str, confidence: float, is_sure: bool
) -> str:
    """Say what is in a photo: a label, its probability (0 to 1), and whether that is enough."""
    seen = manifest.class_of(label)
    kind = words.kind(seen)
    filled = {
        "name": kind.name,
        "one": kind.one,
        "neither": neither(words, manifest),
        "percent": percent(confidence),
        "emoji": _EMOJI.get(label, ""),
    }
    if seen.role is Role.NEITHER:
        template = words.neither if is_sure else words.unsure_neither
    else:
        template = words.sure if is_sure else words.unsure
    return template.format(**filled).strip()


def neither(words: Words, manifest: Manifest) -> str:
    """Say "neither a cat nor a dog"."""
    ones = [words.kind(c).one for c in manifest.classes if c.role is Role.FILE]
    first, *others = ones
    return words.neither_first.format(one=first) + "".join(
        words.neither_next.format(one=one) for one in others
    )


def kinds(words: Words, manifest: Manifest) -> str:
    """Say "a cat or a dog"."""
    *most, last = (words.kind(c).one for c in manifest.classes if c.role is Role.FILE)
    return words.or_.join(filter(None, (", ".join(most), last)))


def said(words: Words, manifest: Manifest, label: str) -> str:
    """Name a label that a person chose."""
    seen = manifest.class_of(label)
    return words.neither_button.lower() if seen.role is Role.NEITHER else words.kind(seen).name


def button(words: Words, manifest: Manifest, label: str) -> str:
    """Write a label on a button."""
    seen = manifest.class_of(label)
    if seen.role is Role.NEITHER:
        return words.neither_button
    name = words.kind(seen).name
    return f"{_EMOJI.get(label, '')} {name[:1].upper()}{name[1:]}".strip()


def unreadable(words: Words, code: UnreadableCode) -> str:
    """Say why a file could not be looked at."""
    if code is UnreadableCode.TOO_LARGE:
        return words.too_many_pixels
    if code in (UnreadableCode.EMPTY, UnreadableCode.TRUNCATED):
        return words.damaged
    return words.not_an_image
