"""Manifests, and models that are not what theirs states."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ExitCode, ModelRefused
from core.labels import PhotoClass, Role
from core.model.classifier import Classifier
from core.model.manifest import (
    KERAS,
    LITERT,
    MANIFEST,
    Kind,
    OldFormat,
    read_checked,
    read_manifest,
)


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_what_is_written_is_what_is_read(model: Path, tmp_path: Path) -> None:
    manifest = read_manifest(model)
    (tmp_path / "again").mkdir()
    manifest.write(tmp_path / "again")
    assert read_manifest(tmp_path / "again") == manifest


def test_it_holds_what_serving_and_people_need(tiny_model: Path) -> None:
    manifest = read_manifest(tiny_model)
    assert manifest.labels == ("cat", "dog", "other")
    assert manifest.kind is Kind.WHOLE
    assert manifest.network is None
    assert manifest.preprocessing is not None
    assert manifest.preprocessing.size == 32
    assert manifest.outputs is not None
    assert manifest.outputs.logits == "logits"
    assert 0.1 <= manifest.temperature <= 10
    assert {one.label: one.threshold for one in manifest.classes} == {
        "cat": 0.6, "dog": 0.6, "other": 0.6,
    }  # fmt: skip
    assert set(manifest.files) == {LITERT, KERAS}
    assert manifest.data["training"]["cat"] + manifest.data["validation"]["cat"] == 70
    assert manifest.recipe["seed"] == 1
    assert manifest.metrics["validation"]["photos"] == sum(manifest.data["validation"].values())
    assert "keras" in manifest.versions


@pytest.mark.parametrize("name", [LITERT, KERAS])
def test_an_altered_file_is_refused_by_name(model: Path, name: str) -> None:
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    with pytest.raises(ModelRefused, match=name) as caught:
        read_checked(model, read_manifest(model), name)
    assert caught.value.exit_code is ExitCode.MODEL


def test_a_missing_file_is_refused_by_name(model: Path) -> None:
    (model / LITERT).unlink()
    with pytest.raises(ModelRefused, match=LITERT):
        Classifier(model)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="no model in"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("classes"),
        lambda raw: raw.update(format=99),
        lambda raw: raw.update(classes=[{"label": "cat"}]),
        lambda raw: raw["preprocessing"].update(resize="crop"),
        lambda raw: raw.update(unknown=1),
        lambda raw: raw.update(temperature=0),
        lambda raw: raw.update(temperature="warm"),
        lambda raw: raw.update(threshold=0.9),
        lambda raw: raw["classes"][0].update(threshold=1.5),
        lambda raw: raw["classes"][0].update(threshold="high"),
        lambda raw: raw["classes"][0].update(role="perhaps"),
        lambda raw: [one.update(role="neither") for one in raw["classes"]],
        lambda raw: raw.update(kind="half"),
        lambda raw: raw.update(kind="head"),
        lambda raw: raw.update(preprocessing=None),
        lambda raw: raw.update(outputs=None),
        lambda raw: raw["classes"].append(raw["classes"][0]),
        lambda raw: raw["classes"][0].update(folder="../cats"),
    ],
)
def test_a_malformed_manifest_is_refused(model: Path, change: object) -> None:
    raw = json.loads((model / MANIFEST).read_text())
    change(raw)  # type: ignore[operator]
    (model / MANIFEST).write_text(json.dumps(raw))
    with pytest.raises(ModelRefused, match=r"manifest\.json"):
        read_manifest(model)


@pytest.mark.parametrize(("format", "older"), [(1, True), (3, False), ("2", False), (None, False)])
def test_another_format_is_refused_and_an_older_one_told_apart(
    model: Path, format: object, older: bool
) -> None:
    raw = json.loads((model / MANIFEST).read_text())
    (model / MANIFEST).write_text(json.dumps({**raw, "format": format}))
    with pytest.raises(ModelRefused, match="not of format 2") as caught:
        read_manifest(model)
    assert isinstance(caught.value, OldFormat) is older


def test_classes_are_told_by_what_is_done_with_their_photos(model: Path) -> None:
    """Filed by its own threshold, set apart, or left: there is no folder for more than one kind."""
    manifest = read_manifest(model)
    both = PhotoClass("both", "both", Role.BOTH, {"en": "both"}, 0.75)
    cat, dog, other = manifest.classes
    replace(manifest, classes=(cat.with_threshold(0.9), dog, other, both)).write(model)
    manifest = read_manifest(model)
    assert manifest.classes[-1] == both
    assert [one.label for one in manifest.filed] == ["cat", "dog"]
    assert manifest.filing_thresholds == {"cat": 0.9, "dog": 0.6}
    assert [one.label for one in manifest.with_folders] == ["cat", "dog", "other"]
    assert manifest.class_of("both").role is Role.BOTH


def test_text_that_is_no_json_is_refused(model: Path) -> None:
    (model / MANIFEST).write_text("{")
    with pytest.raises(ModelRefused, match="malformed"):
        read_manifest(model)


def test_a_file_that_is_no_network_is_refused(model: Path) -> None:
    from core.model.manifest import record_file

    (model / LITERT).write_bytes(b"not a network")
    manifest = read_manifest(model)
    replace(manifest, files={**manifest.files, LITERT: record_file(model / LITERT)}).write(model)
    with pytest.raises(ModelRefused, match="does not load"):
        Classifier(model)


def test_a_network_without_the_output_that_the_manifest_names_is_refused(model: Path) -> None:
    raw = json.loads((model / MANIFEST).read_text())
    raw["outputs"]["logits"] = "scores"
    (model / MANIFEST).write_text(json.dumps(raw))
    with pytest.raises(ModelRefused, match="no output 'scores'"):
        Classifier(model)


def test_a_network_with_fewer_outputs_than_classes_is_refused(model: Path) -> None:
    raw = json.loads((model / MANIFEST).read_text())
    raw["classes"].append({**raw["classes"][0], "label": "rabbit", "folder": "rabbits"})
    (model / MANIFEST).write_text(json.dumps(raw))
    with pytest.raises(ModelRefused, match="3 outputs for 4 classes"):
        Classifier(model)
