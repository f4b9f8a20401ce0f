"""Row 11: how large what is installed for serving is, and the model."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
from pathlib import Path

from benchmarks.measuring.figures import Figure, at_most
from benchmarks.measuring.setting import ROOT, Setting
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL


def measure_model(setting: Setting) -> list[Figure]:
    megabytes = Classifier(DEFAULT_MODEL).bytes / 1e6
    what, note = "size of the model that serves", "the network and its head"
    return [Figure(11, what, (megabytes,), "MB", at_most(6), note)]


def measure_venv(setting: Setting) -> list[Figure]:
    """Install catdog into an empty venv, from the package index."""
    folder = setting.work / "venv"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)],
        check=True,
        env={name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
    )
    megabytes = size_of(folder) / 1e6
    shutil.rmtree(folder)
    what = "size of a venv with catdog for serving"
    note = "pip and the compiled modules included"
    return [Figure(11, what, (megabytes,), "MB", at_most(300), note)]


def size_of(folder: Path) -> int:
    """Add up the files of a folder, in bytes; links count nothing."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())
