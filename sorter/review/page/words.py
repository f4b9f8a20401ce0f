"""What the page says, in the languages of the files beside this one."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any

from core.labels import PhotoClass

LANGUAGES = ("en", "de", "es", "fr", "it")

Words = dict[str, Any]  # a sentence for each key of en.toml, and its tables


def language_for(accepted: str) -> str:
    """Return the language of an Accept-Language header such as `de-CH,de;q=0.9,en;q=0.8`."""
    wanted = []
    for part in accepted.split(","):
        code, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), code.partition("-")[0].lower()))
        except ValueError:
            continue
    known = [code for quality, code in sorted(wanted, key=lambda one: -one[0]) if quality > 0]
    return next((code for code in known if code in LANGUAGES), LANGUAGES[0])


@functools.cache
def words_in(language: str) -> Words:
    """Return all sentences in a language; what its file lacks is English."""
    english = _read(LANGUAGES[0])
    own = _read(language)
    return {
        key: {**value, **own.get(key, {})} if isinstance(value, dict) else own.get(key, value)
        for key, value in english.items()
    }


def class_word(photo_class: PhotoClass, language: str) -> str:
    """Return what a class is called: by the model in this language, else by the catalogue."""
    own = photo_class.words.get(language) if language != LANGUAGES[0] else None
    english = photo_class.words.get(LANGUAGES[0], photo_class.label)
    kinds: dict[str, str] = words_in(language)["kinds"]
    return own or kinds.get(english, english)


def _read(language: str) -> Words:
    text = (resources.files("sorter.review.page") / "words" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)
