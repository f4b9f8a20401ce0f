"""Which model serves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ModelRefused
from core.labels import PhotoClass, Role
from core.model.manifest import OldFormat, read_manifest
from core.model.registry import DEFAULT_MODEL, class_folders, find_model


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
    assert find_model(models, "default") == DEFAULT_MODEL, "as `catdog models` calls it"


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


def test_a_folder_of_more_than_one_kind_is_none_of_theirs(tiny_model: Path, tmp_path: Path) -> None:
    """Photos of both are left where they are: a person's folder of that name is their own."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "v1"))
    manifest = read_manifest(copy)
    both = PhotoClass("both", "both", Role.BOTH, {"en": "both"})
    replace(manifest, classes=(*manifest.classes, both)).write(copy)
    assert "both" not in class_folders(tmp_path)


def age(model: Path, **changes: object) -> None:
    """Have an older catdog have made a model."""
    raw = json.loads((model / "manifest.json").read_text())
    (model / "manifest.json").write_text(json.dumps({**raw, "format": 1, **changes}))


def test_what_an_older_model_filed_into_is_known(tiny_model: Path, tmp_path: Path) -> None:
    """It files no more, but its photos are not to be sorted again."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "v1"))
    classes = [{"label": name, "folder": name} for name in ("birds", "..", "")]
    age(copy, classes=classes)
    assert class_folders(tmp_path) - {"birds"} == {"cats", "dogs", "other"}
    assert "birds" in class_folders(tmp_path)
    age(copy, classes=None)
    assert class_folders(tmp_path) == {"cats", "dogs", "other"}


def test_in_the_place_of_a_promoted_model_of_an_older_catdog_the_default_serves(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is named is refused, with what to do."""
    copy = Path(shutil.copytree(tiny_model, tmp_path / "v1"))
    (tmp_path / "promoted").write_text("v1")
    age(copy)
    assert find_model(tmp_path) == DEFAULT_MODEL
    assert "v1 was made by an older catdog" in caplog.text
    assert find_model(tmp_path, "v1") == copy
    with pytest.raises(OldFormat, match="Train the model again"):
        read_manifest(copy)
