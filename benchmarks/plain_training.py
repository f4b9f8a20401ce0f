"""Training the plain way of Keras's tutorials, on the same network.

    python -m benchmarks.plain_training DATA EPOCHS

`image_dataset_from_directory`, cached and prefetched, augmentation layers in the model, Adam. The
images are of the size that is served. Prints the photos a second of each epoch as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from core.training.networks.architectures import build, for_training
from core.training.networks.recipe import RESIDUAL, Recipe


class _Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self._began)


def speeds(data: Path, epochs: int, recipe: Recipe = RESIDUAL) -> list[float]:
    """Train, and count each epoch's photos a second; its time holds the validation on a tenth."""
    training, validation = keras.utils.image_dataset_from_directory(
        data,
        label_mode="categorical",
        image_size=(recipe.size, recipe.size),
        batch_size=recipe.batch_size,
        validation_split=0.1,
        subset="both",
        seed=recipe.seed,
        verbose=False,
    )
    classes = len(training.class_names)
    network = for_training(build(recipe, classes, size=recipe.size))
    model = keras.Sequential(
        [
            keras.Input((recipe.size, recipe.size, 3)),
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.1),
            keras.layers.RandomZoom(0.1),
            keras.layers.RandomContrast(0.2),
            network,
        ]
    )
    model.compile(
        "adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    clock = _Clock()
    model.fit(
        training.cache().shuffle(1_000).prefetch(tf.data.AUTOTUNE),
        validation_data=validation.cache().prefetch(tf.data.AUTOTUNE),
        epochs=epochs,
        callbacks=[clock],
        shuffle=False,  # the dataset has been
        verbose=0,
    )
    return [len(training.file_paths) / seconds for seconds in clock.seconds]


if __name__ == "__main__":
    print(json.dumps(speeds(Path(sys.argv[1]), int(sys.argv[2]))))
