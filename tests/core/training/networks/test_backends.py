"""The recipe on a Keras backend that is not TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.batch import predict_photo
from core.model.classifier import Classifier

_TRAIN = """
import importlib.util, json, sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)

if sys.argv[3] == "without":
    sys.meta_path.insert(0, NotInstalled())
    find_spec = importlib.util.find_spec
    importlib.util.find_spec = lambda name: None if name == "tensorflow" else find_spec(name)
from pathlib import Path
from core.runtime.console import Terminal
from core.training.data.inputs import TrainContext
from core.training.data.train_options import TrainOptions
from core.training.networks.recipe import MILD, Recipe, Stage
from core.training.networks.train_network import train_network

recipe = Recipe(
    widths=(8, 16, 32), blocks=(1, 1, 1), stages=(Stage(24, 2, MILD), Stage(32, 4, MILD)),
    batch_size=16,
)
data, models = Path(sys.argv[1]), Path(sys.argv[2])
options = TrainOptions(data, resume=len(sys.argv) > 4)
trained = train_network(options, recipe, TrainContext(models, Terminal()))
print(json.dumps(str(trained.folder)))
"""


def on_jax(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _TRAIN, *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_jax_trains_without_tensorflow_which_only_converts_in_the_end(
    tmp_path: Path, fill_folder: Callable[..., Path], draw: Callable[..., Image.Image]
) -> None:
    """Where it is missing the trained network waits for --resume; the export agrees with JAX."""
    pytest.importorskip("jax")
    data = fill_folder(tmp_path / "data", {"cats": 60, "dogs": 60, "other": 60})
    models = tmp_path / "models"
    first = on_jax(data, models, "without")
    assert first.returncode != 0
    assert "only TensorFlow converts it" in first.stderr
    (work,) = (models / "unfinished").iterdir()
    assert len(json.loads((work / "history.json").read_text())) == 6
    second = on_jax(data, models, "with", "resume")
    assert second.returncode == 0, second.stderr
    classifier = Classifier(Path(json.loads(second.stdout.splitlines()[-1])))
    assert "jax" in classifier.manifest.versions
    for kind in ("cats", "dogs", "other"):
        draw(kind, 900).save(tmp_path / f"{kind}.png")
    seen = [predict_photo(classifier, tmp_path / f"{kind}.png") for kind in ("cats", "dogs")]
    assert [one.label for one in seen] == ["cat", "dog"]
