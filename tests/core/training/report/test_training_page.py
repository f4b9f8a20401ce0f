"""What the report of a training leaves out."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from core.labels import classes_from_folders
from core.training.evaluation.comparison import Judgement, Part, compare
from core.training.networks.recipe import RECIPES
from core.training.report.training_page import _settings


@pytest.mark.parametrize("name", ["minimal", "residual", "sequential-bn"])
def test_settings_that_mean_nothing_for_a_network_are_left_out(name: str) -> None:
    recipe = {**asdict(RECIPES[name]), "history": [], "seconds": 3, "epoch_kept": 2, "cores": 2}
    shown = _settings(recipe)
    assert "name" not in shown
    assert "patience" not in shown
    assert ("blocks" in shown) == (name == "residual")
    assert ("dense" in shown) == (name != "residual")
    assert ("weight decay" in shown) == (name == "residual")
    assert shown["widths"] == ", ".join(map(str, RECIPES[name].widths))
    changed = replace(RECIPES[name], patience=4, dropout=0.2)
    assert _settings(asdict(changed))["patience"] == 4
    assert _settings(asdict(changed))["dropout"] == 0.2


def test_a_comparison_has_what_both_models_file() -> None:
    """For a table of before and after."""
    classes = tuple(
        one.with_threshold(0.8) for one in classes_from_folders(["cats", "dogs", "other"])
    )
    before = np.array([[0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]])
    after = np.array([[0.9, 0.05, 0.05], [0.1, 0.85, 0.05], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])
    part = Part(
        "your photos", Judgement(classes, before), Judgement(classes, after),
        ["cat", "dog", "dog", "other"],
    )  # fmt: skip
    (filed,) = compare("v1", [part], doubtful=0.0, against_it=[], other_classes=False).filed
    assert (filed.should, filed.rightly) == (3, (1, 2))
    assert (filed.photos, filed.wrongly) == (4, (2, 0))
