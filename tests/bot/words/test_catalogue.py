"""The languages say the same: every sentence, every blank."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.words import catalogue
from bot.words.buttons import label_buttons
from bot.words.catalogue import FOLDER, Words, catalogues, words_for
from bot.words.replies import kinds, neither
from core.classifier import Classifier
from core.labels import PhotoClass, Role

LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def sentences(code: str) -> Iterator[tuple[str, str]]:
    def walk(name: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(f"{name}.{key}", inner)
        else:
            yield name, value

    yield from walk("", tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8")))


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_there_are_english_and_at_least_three_more() -> None:
    assert "en" in LANGUAGES
    assert len(LANGUAGES) >= 4


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_says_all_with_the_same_blanks(code: str) -> None:
    english, own = dict(sentences("en")), dict(sentences(code))
    assert own.keys() == english.keys()
    assert {key: blanks(text) for key, text in own.items()} == {
        key: blanks(text) for key, text in english.items()
    }
    assert all(text.strip() for text in own.values())
    if code != "en":
        same = [k for k in own if own[k] == english[k] and not k.startswith((".sure", ".or"))]
        assert same == [] or set(same) <= {".stats_line", ".unsure"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_telegram_shows_fits(code: str) -> None:
    """Its limits: 256 characters a command, 200 for a press, 4096 a message."""
    words = catalogues()[code]
    assert all(3 <= len(text) <= 256 for text in words.menu.values())
    assert not any("{" in text for text in words.menu.values())
    for text in (words.not_yours, words.too_old, words.noted + "x" * 40):
        assert len(text) <= 200
    assert len(words.help) < 3000


def test_what_a_language_leaves_out_is_said_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a translator can begin with one sentence."""
    (tmp_path / "en.toml").write_bytes((FOLDER / "en.toml").read_bytes())
    (tmp_path / "pl.toml").write_text('[menu]\nstart = "Co robię"\n', encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogues.cache_clear()
    try:
        words = words_for("pl-PL")
    finally:
        catalogues.cache_clear()
    assert words.menu["start"] == "Co robię"
    assert words.menu["help"] == "How to ask me"
    assert words.busy.startswith("So many photos")


def test_classes_are_listed_as_the_language_does(classifier: Classifier) -> None:
    def of(words: Words) -> tuple[str, str]:
        return kinds(words, classifier.manifest), neither(words, classifier.manifest)

    assert of(words_for("en")) == ("a cat or a dog", "neither a cat nor a dog")
    assert of(words_for("de")) == ("eine Katze oder ein Hund", "weder eine Katze noch ein Hund")
    assert of(words_for("fr")) == ("un chat ou un chien", "ni un chat ni un chien")


def test_a_models_own_word_comes_first() -> None:
    cat = PhotoClass("cat", "cats", Role.FILE, {"en": "cat", "de": "Kater"})
    assert words_for("de").kind(cat).name == "Kater"
    assert words_for("es").kind(cat).one == "un gato"
    nameless = PhotoClass("ferret", "ferrets", Role.FILE, {})
    assert words_for("de").kind(nameless).one == "ferret"


def test_buttons_too_many_or_too_long_for_telegram_are_left_out(classifier: Classifier) -> None:
    words = words_for("en")
    assert label_buttons(words, classifier.manifest, list(range(40))) is None
    assert label_buttons(words, classifier.manifest, [None]) is None
    markup = label_buttons(words, classifier.manifest, [10**60])
    assert markup is None
