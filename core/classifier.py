"""A model, loaded for serving: photos in, predictions out."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.heatmap import Map, class_map
from core.image import Opener
from core.manifest import LITERT, Manifest, read_checked, read_manifest
from core.paths import display
from core.prediction import Prediction
from core.preprocessing import Pixels, preprocess
from core.probabilities import probabilities_from_logits
from core.quiet import quiet_native_stderr

Outputs = dict[str, npt.NDArray[np.float32]]


class Classifier:
    """A LiteRT model and its manifest. Safe to share between threads.

    A photo goes through the network alone and on one processor thread: batches were measured to
    be no faster on CPUs.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused if the model is missing, incomplete or altered."""
        self.manifest: Manifest = read_manifest(folder)
        content = read_checked(folder, self.manifest, LITERT)
        try:
            with quiet_native_stderr():  # the first says "Created TensorFlow Lite XNNPACK delegate"
                self._network = _Network(content, self.manifest.preprocessing.size)
            self._check_outputs(self._network.outputs)
        except (ValueError, RuntimeError) as error:
            raise ModelRefused(
                f"{display(folder / LITERT)} does not load ({error}). Train or install it again."
            ) from error

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
        side = self.manifest.preprocessing.size
        if batch.dtype != np.uint8 or batch.shape[1:] != (side, side, 3):
            raise ValueError(
                f"a batch is uint8 of shape (n, {side}, {side}, 3). "
                f"Received: {batch.dtype} of shape {batch.shape}"
            )
        rows = [self._network.run(photo)[self.manifest.outputs.logits] for photo in batch]
        return np.concatenate(rows)

    def predict(self, batch: Pixels) -> list[Prediction]:
        """Say what is in each photo of a batch (as for `logits`)."""
        if len(batch) == 0:
            return []
        return [self._prediction(logits) for logits in self.logits(batch)[:, np.newaxis]]

    def classify(self, photo: Opener) -> Prediction:
        """Say what is in a photo. Raises what `photo` raises."""
        return self._prediction(self._run(photo)[self.manifest.outputs.logits])

    def explain(self, photo: Opener, *, label: str | None = None) -> tuple[Prediction, Map | None]:
        """Say what is in a photo, and where the network sees it, or sees `label`.

        Returns: the prediction, and the map as `heatmap.class_map` gives it; None if the model
        has none. Raises what `photo` raises.
        """
        outputs = self._run(photo)
        prediction = self._prediction(outputs[self.manifest.outputs.logits])
        name = self.manifest.outputs.activation
        if name is None or name not in outputs:
            return prediction, None
        index = self.manifest.labels.index(label or prediction.label)
        return prediction, class_map(outputs[name][0], index)

    def _run(self, photo: Opener) -> Outputs:
        how = self.manifest.preprocessing
        return self._network.run(preprocess(photo(how.stored_size), how))

    def _prediction(self, logits: npt.NDArray[np.float32]) -> Prediction:
        (row,) = probabilities_from_logits(logits, self.manifest.temperature)
        labels = self.manifest.labels
        best = int(row.argmax())
        return Prediction(
            label=labels[best],
            confidence=float(row[best]),
            probabilities=dict(zip(labels, map(float, row), strict=True)),
            model_version=self.manifest.version,
        )


class _Network:
    """A network for images of one size. Safe to share between threads.

    Each thread that runs it while others do gets an interpreter of its own, made when first
    needed (11 MB, 13 ms).
    """

    def __init__(self, content: bytes, size: int) -> None:
        """`size` is the images' side in pixels."""
        self._content = content
        self._size = size
        self._idle = deque([self._interpreter()])  # appends and pops are atomic

    @property
    def outputs(self) -> dict[str, Any]:
        """Details of each output, by name."""
        details: dict[str, Any] = self._idle[0].get_output_details()
        return details

    def run(self, photo: Pixels) -> Outputs:
        """Run the network on one photo, uint8 of shape `(size, size, 3)`."""
        try:
            runner = self._idle.pop()
        except IndexError:  # all are busy
            runner = self._interpreter()
        (image,) = runner.get_input_details()
        try:
            outputs: Outputs = runner(**{image: photo[np.newaxis]})
        finally:
            self._idle.append(runner)
        return outputs

    def _interpreter(self) -> Any:
        """Make a function of the network; it is not safe to call from two threads at once."""
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=self._content, num_threads=1)
        (image,) = interpreter.get_input_details()
        interpreter.resize_tensor_input(image["index"], (1, self._size, self._size, 3))
        interpreter.allocate_tensors()  # now: at the first photo the greeting would be heard
        return interpreter.get_signature_runner()
