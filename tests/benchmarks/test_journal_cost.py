"""The benchmark runs: what it measures with and without the journal is the sorter as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.classifier import Classifier


@pytest.fixture(scope="module")
def benchmark(load_script: Any) -> Any:
    return load_script("journal_cost")


@pytest.mark.parametrize("journal", [False, True])
def test_both_ways_file_all_photos(
    benchmark: Any, classifier: Classifier, tmp_path: Path, journal: bool
) -> None:
    pool = benchmark.draw_photos(tmp_path / "pool", 3)
    folder = tmp_path / "run"
    assert benchmark.seconds_per_file(classifier, pool, 10, folder, journal=journal) > 0
    assert not folder.exists()


def test_what_stands_in_for_the_journal_has_all_of_its_methods(benchmark: Any) -> None:
    from sorter.journal.run import Run

    methods = {name for name in vars(Run) if not name.startswith("_")}
    assert methods <= set(dir(benchmark.NoJournal))
