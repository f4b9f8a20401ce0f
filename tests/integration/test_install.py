"""What a person gets who installs the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.long
def test_the_wheel_in_an_empty_venv_predicts_from_another_folder(
    tmp_path: Path, draw: Callable[..., Any]
) -> None:
    """With the model that comes with it, and without TensorFlow."""
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
    )
    (wheel,) = tmp_path.glob("catdog_photos-*.whl")
    model = ROOT / "models" / "default"
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if name.startswith("models/default/")}
    assert packed == {
        path.relative_to(ROOT).as_posix() for path in model.rglob("*") if path.is_file()
    }, "of which later trainings begin with some"
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([scripts / "python", *pip, "install", str(wheel)], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    draw("cats", 1, (640, 480)).save(elsewhere / "photo.jpg")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    shown = subprocess.run(
        [scripts / "catdog", "predict", "photo.jpg", "--json"],
        cwd=elsewhere,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    answer = json.loads(shown.stdout)
    manifest = json.loads((model / "manifest.json").read_text())
    assert answer["model"] == manifest["version"]
    assert set(answer["probabilities"]) == {"cat", "dog", "other", "both"}
    listed = subprocess.run(
        [scripts / "python", "-m", "pip", "list", "--format", "json"],
        check=True,
        capture_output=True,
        text=True,
    )
    installed = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert not installed & {"tensorflow", "keras", "scikit-learn", "scipy"}
    for more, extra in (((), "train"), (("--network", "minimal"), "keras")):
        refused = subprocess.run(
            [scripts / "catdog", "train", elsewhere, *more],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert refused.returncode == 4
        assert f"pip install '.[{extra}]'" in refused.stderr
