"""What the bot says, put together from a catalogue and a model."""

from __future__ import annotations

from bot.words.catalogue import Words
from core.errors import UnreadableCode
from core.labels import PhotoClass, Role
from core.model.manifest import Manifest
from core.model.verdict import Verdict, VerdictKind
from core.model.wording import percent

_EMOJI = {"cat": "🐱", "dog": "🐶"}


def answer(words: Words, manifest: Manifest, verdict: Verdict) -> str:
    """Return the sentence about what is in a photo, and how sure that is."""
    kind = words.kind(verdict.likeliest)
    filled = {
        "name": kind.name,
        "one": kind.one,
        "neither": neither(words, manifest),
        "both": both(words, manifest),
        "percent": percent(verdict.prediction.confidence),
        "emoji": _EMOJI.get(verdict.prediction.label, ""),
    }
    return _template(words, verdict).format(**filled).strip()


def _template(words: Words, verdict: Verdict) -> str:
    match verdict.kind:
        case VerdictKind.FILED:
            return words.sure
        case VerdictKind.NEITHER:
            return words.neither
        case VerdictKind.BOTH:
            return words.both
        case VerdictKind.UNSURE:
            unsure = {Role.NEITHER: words.unsure_neither, Role.BOTH: words.unsure_both}
            return unsure.get(verdict.likeliest.role, words.unsure)


def neither(words: Words, manifest: Manifest) -> str:
    """Return "neither a cat nor a dog"."""
    first, *others = _ones(words, manifest)
    return words.neither_first.format(one=first) + "".join(
        words.neither_next.format(one=one) for one in others
    )


def both(words: Words, manifest: Manifest) -> str:
    """Return "a cat and a dog", or of more kinds than two "more than one of them"."""
    ones = _ones(words, manifest)
    if len(ones) == 2:
        return words.both_two.format(first=ones[0], second=ones[1])
    return words.both_more.format(kinds=", ".join(ones))


def kinds(words: Words, manifest: Manifest) -> str:
    """Return "a cat or a dog"."""
    *most, last = _ones(words, manifest)
    return words.or_.join(filter(None, (", ".join(most), last)))


def label_name(words: Words, manifest: Manifest, label: str) -> str:
    """Name a label that a person chose."""
    photo_class = manifest.class_of(label)
    on_button = _not_filed(words, photo_class)
    return words.kind(photo_class).name if on_button is None else on_button.lower()


def consent(words: Words, *, may_keep: bool) -> str:
    """Name what may be kept of a photo, within a sentence."""
    kept = words.photo_too if may_keep else words.only_answer
    return kept[:1].lower() + kept[1:]


def button(words: Words, manifest: Manifest, label: str) -> str:
    photo_class = manifest.class_of(label)
    on_button = _not_filed(words, photo_class)
    if on_button is not None:
        return on_button
    name = words.kind(photo_class).name
    return f"{_EMOJI.get(label, '')} {name[:1].upper()}{name[1:]}".strip()


def tally_name(words: Words, photo_class: PhotoClass) -> str:
    """Name a class where photos are counted."""
    names = {Role.NEITHER: words.stats_neither, Role.BOTH: words.stats_both}
    return names.get(photo_class.role) or words.kind(photo_class).name


def _ones(words: Words, manifest: Manifest) -> list[str]:
    return [words.kind(one).one for one in manifest.filed]


def _not_filed(words: Words, photo_class: PhotoClass) -> str | None:
    """Return what is on the button of a class that is not filed; None for one that is."""
    return {Role.NEITHER: words.neither_button, Role.BOTH: words.both_button}.get(photo_class.role)


def unreadable(words: Words, code: UnreadableCode) -> str:
    """Return the sentence about a file that cannot be read."""
    if code is UnreadableCode.TOO_LARGE:
        return words.too_many_pixels
    if code in (UnreadableCode.EMPTY, UnreadableCode.TRUNCATED):
        return words.damaged
    return words.not_an_image
