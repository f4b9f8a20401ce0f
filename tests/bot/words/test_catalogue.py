"""The languages say the same: every sentence, every blank."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.words import catalogue
from bot.words.buttons import label_buttons
from bot.words.catalogue import FOLDER, Words, catalogues, words_for
from bot.words.replies import answer, both, button, kinds, label_name, neither, tally_name
from core.labels import PhotoClass, Role, classes_from_folders
from core.model.classifier import Classifier
from core.model.manifest import Manifest
from core.model.verdict import judge
from tests.predictions import predicted

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


def manifest_of(classifier: Classifier, *folders: str) -> Manifest:
    classes = tuple(one.with_threshold(0.8) for one in classes_from_folders(folders))
    return replace(classifier.manifest, classes=classes)


@pytest.mark.parametrize(
    ("code", "sure", "unsure"),
    [
        ("en", "I see a cat and a dog here", "not sure: perhaps a cat and a dog (61 %)"),
        (
            "de",
            "Hier sind eine Katze und ein Hund zu sehen",
            "nicht sicher: vielleicht eine Katze und ein Hund (61 %)",
        ),
        ("es", "Aquí veo un gato y un perro", "no estoy seguro: quizá un gato y un perro (61 %)"),
        ("fr", "Je vois ici un chat et un chien", "pas sûr : peut-être un chat et un chien (61 %)"),
        ("it", "Qui vedo un gatto e un cane", "non sono sicuro: forse un gatto e un cane (61 %)"),
    ],
)
def test_a_photo_of_both_is_spoken_of_in_each_language(
    classifier: Classifier, code: str, sure: str, unsure: str
) -> None:
    words, manifest = words_for(code), manifest_of(classifier, "cats", "dogs", "other", "both")

    def answered(confidence: float) -> str:
        prediction = predicted("both", confidence, manifest.classes)
        return answer(words, manifest, judge(prediction, manifest.classes))

    assert answered(0.8) == sure
    assert answered(0.615) == unsure
    assert button(words, manifest, "both") == words.both_button
    assert label_name(words, manifest, "both") == words.both_button.lower()
    assert tally_name(words, manifest.class_of("both")) == words.stats_both


def test_of_more_than_two_kinds_both_is_more_than_one(classifier: Classifier) -> None:
    manifest = manifest_of(classifier, "cats", "dogs", "hamsters", "both")
    assert both(words_for("en"), manifest) == "more than one of them (a cat, a dog, hamsters)"
    assert kinds(words_for("en"), manifest) == "a cat, a dog or hamsters"


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
