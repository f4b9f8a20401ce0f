"""Every language says everything, with the same blanks to fill in."""

from __future__ import annotations

import string
from importlib import resources

import pytest

from core.labels import classes_from_folders
from sorter.review.page.words import LANGUAGES, class_word, language_for, words_in


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_sentences_of_english_with_their_blanks(language: str) -> None:
    english, own = words_in("en"), words_in(language)
    for key, text in english.items():
        if isinstance(text, str):
            assert blanks(own[key]) == blanks(text), key
    if language != "en":
        same = [key for key, text in english.items() if own[key] == text]
        assert set(same) <= {"photo_of", "zoom"}  # nothing was forgotten


def test_every_file_is_a_language_that_is_spoken() -> None:
    files = (resources.files("sorter.review.page") / "words").iterdir()
    assert {file.name for file in files} == {f"{language}.toml" for language in LANGUAGES}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.2,it;q=0.7", "it"),
        ("pl,fr;q=0.1", "fr"),
        ("es;q=0,ja", "en"),
        ("fr;q=much", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_the_best_of_those_that_are_asked_for(accepted: str, language: str) -> None:
    assert language_for(accepted) == language


def test_a_class_of_a_persons_own_is_called_as_they_call_it() -> None:
    cat, own = (one for one in classes_from_folders(["cats", "tom"]))
    assert class_word(cat, "de") == "Katze"
    assert class_word(own, "de") == "tom"
