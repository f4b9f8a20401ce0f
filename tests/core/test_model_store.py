"""Which model serves."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import ModelRefused
from core.model_store import DEFAULT_MODEL, class_folders, find_model


def test_the_model_that_comes_with_catdog_serves_unless_another_is_chosen(
    tiny_model: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    assert find_model(models) == DEFAULT_MODEL
    shutil.copytree(tiny_model, models / "v1")
    assert find_model(models) == DEFAULT_MODEL
    assert find_model(models, "v1") == models / "v1"
    assert find_model(models, str(tiny_model)) == tiny_model
    (models / "promoted").write_text("v1\n")
    assert find_model(models) == models / "v1"
    assert find_model(models, str(tiny_model)) == tiny_model


def test_a_model_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="'v9'"):
        find_model(tmp_path, "v9")
    (tmp_path / "promoted").write_text("v8")
    with pytest.raises(ModelRefused, match="'v8'"):
        find_model(tmp_path)


def test_the_folders_of_all_models_are_known(tiny_model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_model, tmp_path / "v1"))
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"folder": "cats"', '"folder": "kittens"'))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    assert {"kittens", "dogs", "other"} <= class_folders(tmp_path)
