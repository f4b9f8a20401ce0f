"""From a trained network to the files that are served."""

from __future__ import annotations

from pathlib import Path

import keras

from core.manifest import KERAS, LITERT
from core.quiet import quiet_native_stderr
from core.training.architectures import LOGITS, build
from core.training.recipe import Recipe


def export(network: keras.Model, recipe: Recipe, folder: Path) -> None:
    """Write `model.keras` and `model.tflite` for images of the size that the recipe ends with.

    `network` may be one for images of any size. Neither file holds an optimizer's state. The
    conversion to LiteRT runs on TensorFlow.
    """
    outputs = network.output[LOGITS].shape[-1]
    served = build(recipe.size, outputs, recipe.widths, recipe.blocks)
    served.set_weights(network.get_weights())
    served.save(folder / KERAS, include_optimizer=False)
    with quiet_native_stderr():
        served.export(folder / LITERT, format="litert", verbose=False)
