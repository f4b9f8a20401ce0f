"""The commands about models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from catdog import main


def run(models: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--models-dir", str(models), "models", *arguments])


def test_models_are_listed_shown_promoted_rolled_back_and_pruned(
    tiny_model: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(tiny_model, models / "mine")
    (models / "half").mkdir()
    (models / "half" / "manifest.json").write_text("{")
    listed = run(models, "list").stdout.splitlines()
    assert listed[0].startswith("* default: ")
    assert "cat, dog, other" in listed[0]
    assert "; made 20" in listed[0]
    assert listed[1].startswith("  half: ")
    assert "malformed" in listed[1] or "not of format" in listed[1]
    assert listed[2].startswith("  mine: ")

    assert run(models, "promote", "mine").stdout.startswith("mine serves now")
    objects = [json.loads(line) for line in run(models, "list", "--json").stdout.splitlines()]
    assert [(one["name"], one["serves"]) for one in objects] == [
        ("default", False), ("half", False), ("mine", True),
    ]  # fmt: skip
    assert "error" in objects[1]
    assert objects[2]["labels"] == ["cat", "dog", "other"]
    assert objects[2]["thresholds"] == {"cat": 0.6, "dog": 0.6, "other": 0.6}
    assert (objects[2]["kind"], objects[2]["network"]) == ("whole", None)
    refused = run(models, "promote", "half")
    assert refused.exit_code == 3

    card = run(models, "show", "mine")
    assert card.stdout.startswith("# Model ")
    shown = json.loads(run(models, "show", "mine", "--json").stdout)
    assert shown["recipe"]["name"] == "tiny"
    assert run(models, "show", "half").exit_code == 3
    assert run(models, "show", "gone").exit_code == 2

    assert run(models, "rollback").stdout == "default serves again.\n"
    assert run(models, "rollback").exit_code == 2
    assert run(models, "prune", "--keep", "0").stdout.splitlines() == [
        "half is deleted.", "mine is deleted.",
    ]  # fmt: skip
    assert run(models, "prune").stdout == "There is none to delete.\n"
    assert run(tmp_path / "none-yet", "list").stdout.startswith("* default: ")
