"""A model, loaded for serving: preprocessed photos in, predictions out."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.heatmap import Map, class_map
from core.manifest import LITERT, Manifest, read_checked, read_manifest
from core.paths import display
from core.prediction import Prediction
from core.preprocessing import Pixels
from core.probabilities import probabilities_from_logits
from core.quiet import quiet_native_stderr


class Classifier:
    """A LiteRT model and its manifest. Safe to share between threads.

    A photo goes through the network alone and on one processor thread: batches were measured to
    be no faster on CPUs. Each thread that asks while others do gets an interpreter of its own,
    made when first needed (11 MB, 13 ms).
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused if the model is missing, incomplete or altered."""
        self.manifest: Manifest = read_manifest(folder)
        self._content = read_checked(folder, self.manifest, LITERT)
        try:
            with quiet_native_stderr():  # the first says "Created TensorFlow Lite XNNPACK delegate"
                network = _network(self._content)
            (self._input_name,) = network.get_input_details()
            self._check_outputs(network.get_output_details())
        except (ValueError, RuntimeError) as error:
            raise ModelRefused(
                f"{display(folder / LITERT)} does not load ({error}). Train or install it again."
            ) from error
        self._idle = deque([network])  # appends and pops are atomic

    def _check_outputs(self, details: dict[str, Any]) -> None:
        """Raise ValueError if the network does not have the outputs that the manifest names."""
        name, classes = self.manifest.outputs.logits, len(self.manifest.classes)
        if name not in details:
            raise ValueError(f"it has no output {name!r}")
        width = int(details[name]["shape"][-1])
        if width != classes and (width, classes) != (1, 2):
            raise ValueError(f"it has {width} outputs for {classes} classes")

    def logits(self, batch: Pixels) -> npt.NDArray[np.float32]:
        """Run the network.

        `batch` is uint8 of shape `(n, size, size, 3)`, as `preprocess` gives them stacked.

        Returns: shape `(n, classes)`, or `(n, 1)` for a network with one sigmoid.
        """
        size = self.manifest.preprocessing.size
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != (size, size, 3):
            raise ValueError(
                f"a batch is uint8 of shape (n, {size}, {size}, 3). "
                f"Received: {batch.dtype} of shape {batch.shape}"
            )
        rows = [self._run(photo[np.newaxis])[self.manifest.outputs.logits] for photo in batch]
        return np.concatenate(rows)

    def predict(self, batch: Pixels) -> list[Prediction]:
        """Say what is in each photo of a batch (as for `logits`)."""
        if len(batch) == 0:
            return []
        table = probabilities_from_logits(self.logits(batch), self.manifest.temperature)
        return [self._prediction(row) for row in table]

    def look(self, photo: Pixels, *, label: str | None = None) -> tuple[Prediction, Map | None]:
        """Say what is in one photo, and where the network saw it, or saw `label`.

        `photo` is uint8 of shape `(size, size, 3)`.

        Returns: the prediction, and the map as `heatmap.class_map` gives it; None if the model
        has none.
        """
        outputs = self._run(photo[np.newaxis])
        names = self.manifest.outputs
        table = probabilities_from_logits(outputs[names.logits], self.manifest.temperature)
        prediction = self._prediction(table[0])
        if names.activation is None or names.activation not in outputs:
            return prediction, None
        index = self.manifest.labels.index(label or prediction.label)
        return prediction, class_map(outputs[names.activation][0], index)

    def _run(self, photo: Pixels) -> dict[str, npt.NDArray[np.float32]]:
        try:
            network = self._idle.pop()
        except IndexError:  # all are busy
            network = _network(self._content)
        try:
            outputs: dict[str, npt.NDArray[np.float32]] = network(**{self._input_name: photo})
        finally:
            self._idle.append(network)
        return outputs

    def _prediction(self, row: npt.NDArray[np.float64]) -> Prediction:
        labels = self.manifest.labels
        best = int(row.argmax())
        return Prediction(
            label=labels[best],
            confidence=float(row[best]),
            probabilities=dict(zip(labels, map(float, row), strict=True)),
            model_version=self.manifest.version,
        )


def _network(content: bytes) -> Any:
    """Make a function of the network; it is not safe to call from two threads at once."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()  # now: at the first photo the greeting would be heard
    return interpreter.get_signature_runner()
