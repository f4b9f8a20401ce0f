"""The options that sort and watch share, and what they make up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.manifest import read_manifest
from core.options import Settings
from sorter.filing import Filing, make_plan

FILING = Filing(
    into=None,
    recursive=False,
    include=(),
    exclude=(),
    copy=False,
    others="leave",
    conflict="rename",
    by_date=False,
    threshold=None,
    model_choice=None,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "models", tmp_path / "state")


def test_what_was_left_is_looked_at_again_under_other_rules(
    settings: Settings, tmp_path: Path, tiny_model: Path
) -> None:
    """Another model, another threshold, and where what is not filed goes."""
    filing = replace(FILING, model_choice=str(tiny_model))
    rules = make_plan(settings, tmp_path, filing).rules
    assert make_plan(settings, tmp_path, filing).rules == rules
    others = {
        make_plan(settings, tmp_path, other).rules
        for other in (
            FILING,  # the default model
            replace(filing, threshold=0.99),
            replace(filing, others="move"),
            replace(filing, copy=True),
            replace(filing, into=tmp_path / "sorted"),
        )
    }
    assert len(others) == 5
    assert rules not in others
    threshold = read_manifest(tiny_model).threshold
    assert make_plan(settings, tmp_path, replace(filing, threshold=threshold)).rules == rules


def test_the_journal_keeps_what_was_asked_for(tmp_path: Path) -> None:
    told = replace(FILING, into=tmp_path, include=("a*",)).told()
    assert told["into"] == str(tmp_path)
    assert told["include"] == ("a*",)
