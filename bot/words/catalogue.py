"""The sentences of each language, from the files beside this one."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.labels import PhotoClass

FOLDER = Path(__file__).resolve().parent
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a language calls a class."""

    name: str  # "cat"
    one: str  # "a cat"


@dataclass(frozen=True, slots=True)
class Words:
    """All that the bot says in one language; en.toml shows what stands where."""

    code: str
    sure: str
    unsure: str
    neither: str
    unsure_neither: str
    neither_first: str
    neither_next: str
    both: str
    unsure_both: str
    both_two: str
    both_more: str
    or_: str = field(metadata={"key": "or"})
    why: str
    why_not: str
    too_big: str
    gone: str
    too_slow: str
    unreached: str
    unserved: str
    damaged: str
    not_an_image: str
    too_many_pixels: str
    video: str
    moving_sticker: str
    not_a_photo: str
    trouble: str
    no_room: str
    gave_up: str
    busy: str
    too_fast: str
    private: str
    neither_button: str
    both_button: str
    you_say: str
    noted: str
    ask_consent: str
    only_answer: str
    photo_too: str
    not_yours: str
    consent_not_yours: str
    slow: str
    press_failed: str
    too_old: str
    start: str
    hint: str
    help: str
    what_usage: str
    why_usage: str
    no_stats: str
    stats: str
    stats_line: str
    stats_unsure: str
    stats_neither: str
    stats_both: str
    stats_feedback: str
    model: str
    model_figures: str
    privacy: str
    privacy_now: str
    privacy_off: str
    forgotten: str
    nothing_to_forget: str
    auto_groups: str
    auto_usage: str
    auto_admins: str
    auto_on: str
    auto_off: str
    auto_hidden: str
    moved: str
    menu: dict[str, str]  # by command
    kinds: dict[str, dict[str, str]]  # by the English word for a class

    def kind(self, photo_class: PhotoClass) -> Kind:
        """Name a class: the model's word in this language first, then the catalogue's."""
        english = photo_class.words.get(ENGLISH, photo_class.label)
        name = photo_class.words.get(self.code) if self.code != ENGLISH else None
        known = self.kinds.get(english)
        if name is None and known is not None:
            return Kind(known["name"], known["one"])
        return Kind(name or english, name or english)


@functools.cache
def catalogues() -> dict[str, Words]:
    """Return all languages by their code."""
    english = _read(ENGLISH)
    codes = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return {code: _words(code, english) for code in codes}


def words_for(language: str | None) -> Words:
    """Return the catalogue for a language code of Telegram's, such as `de` or `pt-br`."""
    found = catalogues().get((language or ENGLISH).partition("-")[0].lower())
    return found or catalogues()[ENGLISH]


def _words(code: str, english: dict[str, Any]) -> Words:
    own = _read(code)
    values: dict[str, Any] = {}
    for one in fields(Words):
        if one.name == "code":
            continue
        key = one.metadata.get("key", one.name)
        value = own.get(key, english[key])
        if isinstance(value, dict):
            value = {**english[key], **value}
        values[one.name] = value.strip("\n") if isinstance(value, str) else value
    return Words(code=code, **values)


def _read(code: str) -> dict[str, Any]:
    with (FOLDER / f"{code}.toml").open("rb") as file:
        return tomllib.load(file)
