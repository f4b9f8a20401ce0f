"""From a trained network to the files that are served."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras

from core.errors import CatdogError, ExtraMissing
from core.model.manifest import KERAS, LITERT
from core.runtime.quiet import quiet_native_stderr
from core.training.networks.architectures import LOGITS, build
from core.training.networks.recipe import Recipe

_CONVERT = (
    "import sys, keras; from core.training.networks.export.litert import to_litert; "
    "to_litert(keras.models.load_model(sys.argv[1]), sys.argv[2], half=sys.argv[3] == 'half')"
)


def export(network: keras.Model, recipe: Recipe, folder: Path, *, half: bool) -> None:
    """Write `model.keras` and `model.tflite` for images of the size that the recipe ends with.

    `network` may be one for images of any size. Neither file holds an optimizer's state; with
    `half`, `model.tflite` holds the weights in 16 bits. Only TensorFlow converts to LiteRT, in a
    process of its own where Keras runs on another backend. Raises ExtraMissing if it is not
    installed.
    """
    outputs = network.output[LOGITS].shape[-1]
    served = build(recipe, outputs, size=recipe.size)
    served.set_weights(network.get_weights())
    served.save(folder / KERAS, include_optimizer=False)
    if keras.backend.backend() == "tensorflow":
        with quiet_native_stderr():
            to_litert(served, folder / LITERT, half=half)
    else:
        _convert(folder / KERAS, folder / LITERT, half=half)


def to_litert(network: keras.Model, path: Path | str, *, half: bool) -> None:
    """Convert a network of TensorFlow's; the arithmetic stays in 32 bits."""
    options: dict[str, Any] = {}
    if half:
        import tensorflow as tf

        options = {
            "optimizations": [tf.lite.Optimize.DEFAULT],
            "target_spec": {"supported_types": [tf.float16]},
        }
    network.export(path, format="litert", verbose=False, **options)


def _convert(source: Path, destination: Path, *, half: bool) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise ExtraMissing(
            "The network is trained, but only TensorFlow converts it for serving, and it is not "
            "installed. Install it (pip install tensorflow), or take the folder of checkpoints "
            "to a machine that has it, and go on with --resume."
        )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _CONVERT,
            str(source),
            str(destination),
            "half" if half else "whole",
        ],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CatdogError(f"{source.name} could not be converted for serving: {last}")
