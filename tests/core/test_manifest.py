"""Manifests, and models that are not what they say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.classifier import Classifier
from core.errors import ExitCode, ModelRefused
from core.manifest import KERAS, LITERT, MANIFEST, read_checked, read_manifest


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
    assert manifest.preprocessing.size == 32
    assert manifest.outputs.logits == "logits"
    assert 0.1 <= manifest.temperature <= 10
    assert 0.5 <= manifest.threshold < 1
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
        lambda raw: raw.update(threshold=1.5),
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


def test_text_that_is_no_json_is_refused(model: Path) -> None:
    (model / MANIFEST).write_text("{")
    with pytest.raises(ModelRefused, match="malformed"):
        read_manifest(model)


def test_a_file_that_is_no_network_is_refused(model: Path) -> None:
    from dataclasses import replace

    from core.manifest import record_file

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
