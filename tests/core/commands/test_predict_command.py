"""Predicting photos from the command line."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.model.manifest import read_manifest
from tests.command_line import objects, run


def test_predict_prints_a_label(photo: Path, tiny_model: Path) -> None:
    result = run("predict", photo, "--model", tiny_model, "--threshold", "0.4")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{photo}: cat, ")


def test_predict_prints_json(photo: Path, tiny_model: Path) -> None:
    (answer,) = objects(run("predict", photo, "--json", "--model", tiny_model))
    assert set(answer) == {"path", "label", "confidence", "probabilities", "decision", "model"}
    assert answer["path"] == str(photo)
    assert answer["label"] == "cat"
    assert list(answer["probabilities"]) == ["cat", "dog", "other"]
    assert answer["model"] == tiny_model.name
    assert answer["decision"] == "cat"
    (unsure,) = objects(run("predict", photo, "--json", "--model", tiny_model, "--threshold", "1"))
    assert unsure["decision"] == "unsure"


def test_a_threshold_can_only_raise_what_the_model_asks_for(
    photo: Path, tiny_model: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(tiny_model, tmp_path / "careful"))
    manifest = read_manifest(copy)
    classes = tuple(one.with_threshold(1.0) for one in manifest.classes)
    replace(manifest, classes=classes).write(copy)
    (answer,) = objects(run("predict", photo, "--json", "--model", copy, "--threshold", "0.1"))
    assert (answer["label"], answer["decision"]) == ("cat", "unsure")
    result = run("predict", photo, "--model", copy, "--threshold", "0.1")
    assert "not sure, perhaps cat (" in result.stdout


def test_predict_paints_a_heatmap(photo: Path, tiny_model: Path, tmp_path: Path) -> None:
    """Into a new file alone: what is there may be a photo."""
    out = tmp_path / "heat.png"
    result = run("predict", photo, "--heatmap", out, "--model", tiny_model)
    assert result.exit_code == 0
    assert "cat" in result.stdout
    with Image.open(out) as painted, Image.open(photo) as plain:
        assert (painted.format, painted.size) == ("PNG", plain.size)
        assert painted.tobytes() != plain.convert("RGB").tobytes()
    before = photo.read_bytes()
    for taken in (out, photo):
        refused = run("predict", photo, "--heatmap", taken, "--model", tiny_model)
        assert refused.exit_code == 2
        assert "is there already" in refused.stderr
    assert photo.read_bytes() == before
    for wrong, reason in (
        ((photo, photo, "--heatmap", tmp_path / "new.png"), "takes one photo"),
        ((photo, "--heatmap", tmp_path / "new.txt"), "must end in one of"),
        ((photo, "--heatmap", tmp_path / "gone" / "new.png"), "cannot be written: No such"),
    ):
        refused = run("predict", *wrong, "--model", tiny_model)
        assert refused.exit_code == 2
        assert reason in refused.stderr
    assert not (tmp_path / "new.png").exists()


def test_a_bad_file_is_reported_and_the_others_go_on(photo: Path, tiny_model: Path) -> None:
    (photo.parent / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    (photo.parent / "film.mov").write_bytes(b"x")
    result = run(
        "predict", photo.parent, photo.parent / "gone.jpg", "--json", "--model", tiny_model
    )
    bad, good, gone = objects(result)
    assert result.exit_code == 1
    assert bad["error"]["code"] == "truncated"
    assert good["label"] == "cat"
    assert gone["error"]["code"] == "vanished"
    plain = run("predict", photo.parent, "--model", tiny_model)
    assert plain.exit_code == 1
    assert "a.jpg ends early or is damaged" in plain.stderr
    assert "tom.jpg: cat" in plain.stdout


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_names_that_are_not_utf8_survive_json(
    tmp_path: Path, tiny_model: Path, photo: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff\n.jpg"))
    photo.rename(odd)
    (answer,) = objects(run("predict", tmp_path, "--json", "--model", tiny_model))
    assert Path(str(answer["path"])) == odd
    assert run("predict", tmp_path, "--model", tiny_model).exit_code == 0
