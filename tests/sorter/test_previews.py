"""A preview can leave a photo where it is, and nothing else."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pillow_heif import from_pillow

from benchmarks.photos import exif_with
from catdog import main
from core.classifier import Classifier
from core.manifest import read_manifest
from sorter.previews import PreviewGlance
from sorter.routes import Routes


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """One of which previews were measured."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    replace(read_manifest(folder), previews={"JPEG": {"limit": 0.2}}).write(folder)
    return folder


@pytest.fixture
def shoot(tmp_path: Path, draw: Callable[..., Image.Image]) -> Callable[[str, str, str], Path]:
    """Make a photo of one kind with a preview of another."""

    def shoot(name: str, kind: str, preview_kind: str) -> Path:
        (tmp_path / "inbox").mkdir(exist_ok=True)
        stream = io.BytesIO()
        draw(preview_kind, 7, (160, 120)).save(stream, "JPEG")
        path = tmp_path / "inbox" / name
        pixels = np.asarray(draw(kind, 8, (1200, 900)))
        Image.fromarray(pixels).save(path, "JPEG", quality=97, exif=exif_with(1, stream.getvalue()))
        assert path.stat().st_size > 2**18
        return path

    return shoot


def sort(model: Path, tmp_path: Path, *more: str) -> dict[str, str]:
    options = ["--state-dir", str(tmp_path / "state")]
    sort = ["sort", str(tmp_path / "inbox"), "--model", str(model), "--json", *more]
    result = CliRunner().invoke(main, [*options, *sort])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {Path(line["path"]).name: line["outcome"] for line in lines}


def test_a_tampered_preview_files_nothing(
    model: Path, tmp_path: Path, shoot: Callable[[str, str, str], Path]
) -> None:
    """A photo of neither with a cat in its preview stays; a cat with a cat's is filed."""
    shoot("forged.jpg", "other", "cats")
    shoot("cat.jpg", "cats", "cats")
    shoot("dog.jpg", "dogs", "cats")
    assert sort(model, tmp_path) == {"forged.jpg": "left", "cat.jpg": "moved", "dog.jpg": "moved"}
    assert (tmp_path / "inbox" / "dogs" / "dog.jpg").exists()


def test_a_preview_of_neither_leaves_the_photo_unless_it_is_switched_off(
    model: Path, tmp_path: Path, shoot: Callable[[str, str, str], Path]
) -> None:
    """A cat with another's preview shows whether the photo was decoded."""
    shoot("cat.jpg", "cats", "other")
    assert sort(model, tmp_path) == {"cat.jpg": "left"}
    assert sort(model, tmp_path, "--previews", "off") == {"cat.jpg": "moved"}


def test_previews_are_not_asked_where_what_stays_would_move_or_nothing_was_measured(
    model: Path, tiny_model: Path, tmp_path: Path, shoot: Callable[[str, str, str], Path]
) -> None:
    shoot("cat.jpg", "cats", "other")
    assert sort(tiny_model, tmp_path) == {"cat.jpg": "moved"}
    shoot("cat2.jpg", "cats", "other")
    assert sort(model, tmp_path, "--others", "move") == {"cat2.jpg": "moved"}


def test_previews_are_not_asked_at_a_lower_threshold_than_the_measured_one(
    model: Path, tmp_path: Path, shoot: Callable[[str, str, str], Path]
) -> None:
    shoot("cat.jpg", "cats", "other")
    assert sort(model, tmp_path, "--threshold", "0.7") == {"cat.jpg": "left"}
    assert sort(model, tmp_path, "--threshold", "0.5") == {"cat.jpg": "moved"}


def test_the_previews_of_heics_are_asked_where_those_were_measured(
    model: Path, tmp_path: Path, draw: Callable[..., Image.Image]
) -> None:
    (tmp_path / "inbox").mkdir()
    for number, kind in enumerate(("cats", "other")):
        photo = from_pillow(draw(kind, 8, (1200, 900)))
        photo.info["thumbnails"] = [320]
        photo.save(tmp_path / "inbox" / f"{number}.heic", quality=80)
    classifier = Classifier(model)
    routes = Routes(classifier.manifest, tmp_path / "inbox", 0.6)
    for limits, is_seen in (({"JPEG": 0.2}, False), ({"HEIF": 0.2}, True)):
        glance = PreviewGlance(classifier, routes, limits)
        assert glance(tmp_path / "inbox" / "0.heic") is None, "a cat is decoded"
        assert (glance(tmp_path / "inbox" / "1.heic") is not None) == is_seen
