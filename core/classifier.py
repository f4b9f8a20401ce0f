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
    be no faster on CPUs. A photo in doubt goes through it again, as the manifest's `second_look`
    says.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused if the model is missing, incomplete or altered."""
        self.manifest: Manifest = read_manifest(folder)
        content = read_checked(folder, self.manifest, LITERT)
        again = self.manifest.second_look
        try:
            with quiet_native_stderr():  # the first says "Created TensorFlow Lite XNNPACK delegate"
                network = _Network(content, self.manifest.preprocessing.size)
            self._check_outputs(network.outputs)
        except (ValueError, RuntimeError) as error:
            raise ModelRefused(
                f"{display(folder / LITERT)} does not load ({error}). Train or install it again."
            ) from error
        self._networks = {self.manifest.preprocessing.size: network}  # by the size of a look
        if again is not None:
            self._networks.setdefault(again.size, _Network(content, again.size, copies=0))

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

        `batch` is uint8 of shape `(n, size, size, 3)`, as `preprocess` gives them stacked, of the
        size of the first look or the second.

        Returns: shape `(n, classes)`, or `(n, 1)` for a network with one sigmoid.
        """
        side = batch.shape[1] if batch.ndim == 4 else 0
        known = self._networks.get(side)
        if batch.dtype != np.uint8 or known is None or batch.shape[1:] != (side, side, 3):
            sizes = " or ".join(map(str, self._networks))
            raise ValueError(
                f"a batch is uint8 of shape (n, size, size, 3), its size {sizes}. "
                f"Received: {batch.dtype} of shape {batch.shape}"
            )
        rows = [known.run(photo)[self.manifest.outputs.logits] for photo in batch]
        return np.concatenate(rows)

    def predict(self, batch: Pixels) -> list[Prediction]:
        """Say what is in each photo of a batch (as for `logits`), by a first look alone."""
        if len(batch) == 0:
            return []
        return [self._prediction(logits) for logits in self.logits(batch)[:, np.newaxis]]

    def classify(self, photo: Opener) -> Prediction:
        """Say what is in a photo. Raises what `photo` raises."""
        how, again = self.manifest.preprocessing, self.manifest.second_look
        image = photo(how.stored_size)
        logits = self.logits(preprocess(image, how)[np.newaxis])
        if again is None or not again.is_due(logits):
            return self._prediction(logits)
        if min(image.size) < again.stored_size:
            image = photo(again.stored_size)
        closer = self.logits(again.pixels(image)[np.newaxis])
        return self._prediction(again.combined(logits, closer), looks=2)

    def explain(self, photo: Opener, *, label: str | None = None) -> tuple[Prediction, Map | None]:
        """Say what is in a photo, and where the network sees it, or sees `label`.

        The map is of the closer look, whether the answer needed that or not: it is finer.

        Returns: the prediction, and the map as `heatmap.class_map` gives it; None if the model
        has none. Raises what `photo` raises.
        """
        prediction = self.classify(photo)
        name = self.manifest.outputs.activation
        if name is None:
            return prediction, None
        how = (self.manifest.second_look or self.manifest).preprocessing
        outputs = self._networks[how.size].run(preprocess(photo(how.stored_size), how))
        if name not in outputs:
            return prediction, None
        index = self.manifest.labels.index(label or prediction.label)
        return prediction, class_map(outputs[name][0], index)

    def _prediction(self, logits: npt.NDArray[np.float32], looks: int = 1) -> Prediction:
        (row,) = probabilities_from_logits(logits, self.manifest.temperature)
        labels = self.manifest.labels
        best = int(row.argmax())
        return Prediction(
            label=labels[best],
            confidence=float(row[best]),
            probabilities=dict(zip(labels, map(float, row), strict=True)),
            model_version=self.manifest.version,
            looks=looks,
        )


class _Network:
    """A network for images of one size. Safe to share between threads.

    Each thread that runs it while others do gets an interpreter of its own, made when first
    needed (11 MB, 13 ms).
    """

    def __init__(self, content: bytes, size: int, *, copies: int = 1) -> None:
        """`size` is the images' side in pixels."""
        self._content = content
        self._size = size
        # appends and pops are atomic
        self._idle = deque(self._interpreter() for _ in range(copies))

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
