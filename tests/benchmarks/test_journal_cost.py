"""The benchmark runs: what it measures with and without the journal is the sorter as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import journal_cost
from core.model.classifier import Classifier


@pytest.mark.parametrize("journal", [False, True])
def test_both_ways_file_all_photos(
    classifier: Classifier, fill_folder: Callable[..., Path], tmp_path: Path, journal: bool
) -> None:
    photos = sorted(fill_folder(tmp_path / "data", {"cats": 3}).rglob("*.jpg"))
    folder = tmp_path / "run"
    assert journal_cost.seconds_per_file(classifier, photos, 10, folder, journal=journal) > 0
    assert not folder.exists()


def test_what_stands_in_for_the_journal_has_all_of_its_methods() -> None:
    from sorter.journal.run import Run

    methods = {name for name in vars(Run) if not name.startswith("_")}
    assert methods <= set(dir(journal_cost.NoJournal))
