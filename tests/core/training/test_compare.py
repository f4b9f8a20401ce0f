"""A new model serves only if it is no worse, as far as can be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.labels import classes_from_folders
from core.manifest import Manifest, read_manifest
from core.model_store import DEFAULT_MODEL
from core.training.compare import Comparison, Judgement, compare, not_comparable

PETS = np.repeat([0, 1], 100)
ALL = np.repeat([0, 1, 2], [100, 100, 60])
THRESHOLD = 0.9


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(DEFAULT_MODEL)


def saying(
    targets: np.ndarray, wrong: tuple[int, ...] = (), *, sure: float = 0.95, as_class: int = 0
) -> Judgement:
    """What a model says that is right of all but some photos, which it takes for `as_class`."""
    guesses = targets.copy()
    guesses[list(wrong)] = as_class
    rows = np.full((len(targets), 3), (1 - sure) / 2)
    rows[np.arange(len(targets)), guesses] = sure
    return Judgement(rows, THRESHOLD)


def verdict(comparison: Comparison) -> list[bool]:
    return [finding.speaks_for for finding in comparison.findings]


def test_an_equal_model_is_no_worse(manifest: Manifest) -> None:
    same = saying(ALL, (3, 120), sure=0.8, as_class=2)
    found = compare(manifest, same, same, ALL)
    assert found.is_no_worse
    assert found.current == manifest.version
    assert "Of 200 photos of cats and dogs it names 2 wrongly" in found.findings[0].sentence


def test_one_more_pet_named_wrongly_speaks_against_it(manifest: Manifest) -> None:
    current, new = saying(ALL, (101,), sure=0.8), saying(ALL, (101, 102), sure=0.8)
    found = compare(manifest, current, new, ALL)
    assert verdict(found) == [False, True, True, True]
    assert "1 the other way round (McNemar's test: p = 1)" in found.findings[0].sentence
    assert compare(manifest, new, current, ALL).is_no_worse


def test_mcnemar_counts_only_what_changed(manifest: Manifest) -> None:
    """Eight right that were not, one the other way round: exact p = 2 (C(9,0) + C(9,1)) / 2^9."""
    current = saying(ALL, tuple(range(100, 108)), sure=0.8)
    new = saying(ALL, (150,), sure=0.8)
    sentence = compare(manifest, current, new, ALL).findings[0].sentence
    assert "8 are right now that were not, 1 the other way round" in sentence
    assert f"p = {2 * 10 / 2**9:.2g}" in sentence


def test_more_in_a_wrong_folder_speaks_against_it_even_if_fewer_are_named_wrongly(
    manifest: Manifest,
) -> None:
    current = saying(ALL, tuple(range(100, 110)), sure=0.8)
    new = saying(ALL, (100, 101, 102), sure=0.95)
    found = compare(manifest, current, new, ALL)
    assert verdict(found)[:2] == [True, False]
    assert "it files 200 of these, 3 of them in a wrong folder" in found.findings[1].sentence


def test_more_of_neither_filed_speaks_against_it(manifest: Manifest) -> None:
    current, new = saying(ALL), saying(ALL, (200, 201))
    assert verdict(compare(manifest, current, new, ALL))[2] is False
    assert verdict(compare(manifest, new, new, ALL))[2] is True
    more = np.repeat([0, 1, 2], [100, 100, 200])
    few = saying(more, (200, 201, 202))  # 1.5 %, which is allowed
    assert verdict(compare(manifest, saying(more), few, more))[2] is True


def test_where_none_are_of_neither_those_that_the_current_model_rejects_stand_in(
    manifest: Manifest,
) -> None:
    current = new = saying(PETS)
    assert verdict(compare(manifest, current, new, PETS))[2] is False
    assert "Add other/" in compare(manifest, current, new, PETS).findings[2].sentence
    of_neither = np.full(100, 2)
    for wrong, holds in ((), True), ((5,), True), ((5, 6), False):
        rejected = saying(of_neither, wrong)
        assert verdict(compare(manifest, current, new, PETS, rejected))[2] is holds
    few = saying(of_neither[:10])
    assert verdict(compare(manifest, current, new, PETS, few))[2] is False


def test_confidences_that_are_off_speak_against_it(manifest: Manifest) -> None:
    current, new = saying(ALL, sure=0.97), saying(ALL, sure=0.7)
    assert verdict(compare(manifest, current, new, ALL)) == [True, True, True, False]


def test_a_few_photos_tell_nothing(manifest: Manifest) -> None:
    few = ALL[:49]
    found = compare(manifest, saying(few), saying(few), few)
    assert not found.is_no_worse
    assert "49 photos" in found.findings[0].sentence


def test_models_of_other_classes_or_none_for_neither_are_for_people_to_promote(
    manifest: Manifest,
) -> None:
    assert not_comparable(manifest, manifest) is None
    other = replace(manifest, classes=classes_from_folders(["cats", "hamsters", "other"]))
    found = not_comparable(manifest, other)
    assert found is not None
    assert found.other_classes
    assert not found.is_no_worse
    two = replace(manifest, classes=classes_from_folders(["cats", "dogs"]))
    found = not_comparable(two, two)
    assert found is not None
    assert "no class for what is neither" in found.findings[0].sentence
