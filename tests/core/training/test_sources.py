"""Names of photos tell where they come from and what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training.sources import kind_of, source_of


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("kaggle-00012.webp", "kaggle"),
        ("flickr1-00003.webp", "flickr1"),
        ("olx_bikes-00042.webp", "olx"),
        ("tom.jpg", None),
        ("2024-07-01.jpg", None),
        ("-.jpg", None),
    ],
)
def test_a_source_is_the_first_word_of_a_name(name: str, source: str | None) -> None:
    assert source_of(Path("cats") / name) == source


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("in1k-wild-canid-00004.jpg", "wild-canid"),
        ("web_bird_12.png", "bird"),
        ("kaggle-00012.webp", None),
        ("tom.jpg", None),
        ("tom-at-home.jpg", "at-home"),
    ],
)
def test_a_kind_is_what_stands_between_source_and_number(name: str, kind: str | None) -> None:
    assert kind_of(Path("other") / name) == kind
