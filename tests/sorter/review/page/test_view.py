"""What the page is told of a model's classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.labels import classes_from_folders
from core.model.manifest import read_manifest
from sorter.review.page.view import keys_of

TINY = Path(__file__).resolve().parents[3] / "models" / "tiny"


def test_known_classes_have_letters_and_a_persons_own_have_digits() -> None:
    folders = ["cats", "dogs", "tom", "rex", "other", "both"]
    manifest = replace(read_manifest(TINY), classes=classes_from_folders(folders))
    keys = dict(zip((one.label for one in manifest.classes), keys_of(manifest), strict=True))
    assert keys == {"cat": "c", "dog": "d", "rex": "1", "tom": "2", "other": "n", "both": "b"}


def test_more_classes_than_digits_are_there_for_the_mouse() -> None:
    folders = ["cats", "dogs", *(f"pet{number:02}" for number in range(12))]
    manifest = replace(read_manifest(TINY), classes=classes_from_folders(folders))
    keys = keys_of(manifest)
    assert len(keys) == 14
    assert len(set(filter(None, keys))) == len(list(filter(None, keys))) == 11
