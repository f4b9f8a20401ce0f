"""Bursts are one group, strangers none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sorter.review.likeness import groups_of


def test_photos_that_are_nearly_the_same_have_one_number_and_others_none() -> None:
    random = np.random.default_rng(3)
    listed = []
    for burst in range(6):
        scene = random.normal(0, 40, 256)
        for shot in range(3 if burst % 2 else 1):
            embedding = np.clip(scene + random.normal(0, 4, 256), -128, 127).astype(np.int8)
            listed.append((Path(f"{burst}-{shot}.jpg"), embedding))
    numbers = groups_of(listed)
    assert {path.name[0] for path in numbers} == {"1", "3", "5"}
    for name in "135":
        assert len({number for path, number in numbers.items() if path.name[0] == name}) == 1
    assert len(set(numbers.values())) == 3


def test_one_photo_is_no_group() -> None:
    assert groups_of([]) == {}
    assert groups_of([(Path("one.jpg"), np.zeros(8, np.int8))]) == {}
