"""The options that sort and watch share, and what they make up."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.commands.options import Settings
from core.labels import PhotoClass, Role
from core.model.manifest import read_manifest
from sorter.commands.filing_options import make_plan
from sorter.filing.plan import FilingOptions

OPTIONS = FilingOptions()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "models", tmp_path / "state")


def test_what_was_left_is_sorted_again_under_other_rules(
    settings: Settings, tmp_path: Path, tiny_model: Path
) -> None:
    """Another model, another threshold, and where what is not filed goes."""
    options = replace(OPTIONS, model_choice=str(tiny_model))
    rules = make_plan(settings, tmp_path, options).rules
    assert make_plan(settings, tmp_path, options).rules == rules
    others = {
        make_plan(settings, tmp_path, other).rules
        for other in (
            OPTIONS,  # the default model
            replace(options, threshold=0.99),
            replace(options, others="move"),
            replace(options, copy=True),
            replace(options, into=tmp_path / "sorted"),
        )
    }
    assert len(others) == 5
    assert rules not in others
    for no_higher in (0.6, 0.3):
        again = replace(options, threshold=no_higher)
        assert make_plan(settings, tmp_path, again).rules == rules


def test_the_rules_hold_each_classs_threshold(
    settings: Settings, tmp_path: Path, tiny_model: Path
) -> None:
    """A model that was calibrated anew under the same name decides in another way."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    options = replace(OPTIONS, model_choice=str(copy))
    rules = make_plan(settings, tmp_path, options).rules
    manifest = read_manifest(copy)
    cat, *others = manifest.classes
    replace(manifest, classes=(cat.with_threshold(0.7), *others)).write(copy)
    assert make_plan(settings, tmp_path, options).rules != rules
    raised = make_plan(settings, tmp_path, replace(options, threshold=0.65)).rules
    assert raised not in (rules, make_plan(settings, tmp_path, options).rules)


def test_there_is_no_class_folder_for_what_shows_both(
    settings: Settings, tmp_path: Path, tiny_model: Path
) -> None:
    """A person's own folder of that name is input like any other, and no correction."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "copy"))
    manifest = read_manifest(copy)
    both = PhotoClass("both", "both", Role.BOTH, {"en": "both"}, 0.6)
    replace(manifest, classes=(*manifest.classes[:2], both)).write(copy)
    plan = make_plan(settings, tmp_path, replace(OPTIONS, model_choice=str(copy), recursive=True))
    assert plan.labels == {"cats": "cat", "dogs": "dog"}
    assert "both" not in plan.inbox.class_folders
    assert plan.inbox.holds(plan.inbox.folder / "both")
    assert not plan.inbox.holds(plan.inbox.folder / "other")


def test_the_journal_keeps_what_was_asked_for(tmp_path: Path) -> None:
    kept = replace(OPTIONS, into=tmp_path, include=("a*",)).for_journal()
    assert kept["into"] == str(tmp_path)
    assert kept["include"] == ("a*",)
