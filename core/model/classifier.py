"""A model, loaded for serving: photos in, predictions out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.images.decode import Opener
from core.model.head import HEAD, read_head
from core.model.heatmap import Map, class_map
from core.model.manifest import LITERT, Kind, Manifest, read_checked, read_manifest
from core.model.network import Embedding, LiteRt, Network, NetworkInfo, find_network
from core.model.preprocessing import Pixels, Preprocessing, preprocess
from core.model.probabilities import probabilities_from_logits
from core.model.registry import network_folders
from core.model.verdict import Prediction, to_prediction
from core.paths import display

Floats = npt.NDArray[np.float32]


class Classifier:
    """A model of a folder. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused if the model or its network is missing, incomplete or altered."""
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        self._model = (
            _WithHead(folder, self.manifest)
            if self.manifest.kind is Kind.HEAD
            else _Whole(folder, self.manifest)
        )

    @property
    def preprocessing(self) -> Preprocessing:
        return self._model.preprocessing

    @property
    def bytes(self) -> int:
        """The size of the files that serving reads."""
        return self._model.bytes

    def logits(self, batch: Pixels) -> Floats:
        """Run the network.

        `batch` is uint8 of shape `(n, size, size, 3)`, as `preprocess` returns them, stacked.

        Returns: shape `(n, classes)`, or `(n, 1)` for a network with one sigmoid. Raises
        ValueError for a batch of another size or type.
        """
        return np.stack([self._model.logits(photo) for photo in batch])

    def predict(self, batch: Pixels) -> list[Prediction]:
        """Predict each photo of a batch, as for `logits`."""
        return [self.prediction(self._model.logits(photo)) for photo in batch]

    def classify(self, photo: Opener) -> Prediction:
        """Predict a photo. Raises what `photo` raises."""
        how = self.preprocessing
        return self.prediction(self._model.logits(preprocess(photo(how.decoded_side), how)))

    @property
    def network(self) -> NetworkInfo | None:
        """The network whose embeddings this model judges; None for a whole network."""
        return self._model.info if isinstance(self._model, _WithHead) else None

    def classify_and_embed(self, photo: Opener) -> tuple[Prediction, Embedding]:
        """Predict a photo, and return its embedding, too, shape `(channels,)`.

        Raises ModelRefused if the model has none, and what `photo` raises.
        """
        if not isinstance(self._model, _WithHead):
            raise no_embeddings(self.manifest.version)
        how = self.preprocessing
        embedding = self._model.embedding(preprocess(photo(how.decoded_side), how))
        return self.prediction(self._model.of_embedding(embedding)), embedding

    def predict_embedding(self, embedding: Embedding) -> Prediction:
        """Predict a photo by its embedding. Raises ModelRefused if the model has none."""
        if not isinstance(self._model, _WithHead):
            raise no_embeddings(self.manifest.version)
        return self.prediction(self._model.of_embedding(embedding))

    def explain(self, photo: Opener, *, label: str | None = None) -> tuple[Prediction, Map | None]:
        """Predict a photo, and compute the heatmap of its label, or of `label`.

        Returns: the prediction, and the heatmap as `class_map` returns it; None if the model has
        none. Raises what `photo` raises.
        """
        how = self.preprocessing
        logits, places = self._model.places(preprocess(photo(how.decoded_side), how))
        prediction = self.prediction(logits)
        if places is None:
            return prediction, None
        index = self.manifest.labels.index(label or prediction.label)
        return prediction, class_map(places, index)

    def prediction(self, logits: Floats) -> Prediction:
        """Calibrate the logits of one photo, shape `(classes,)` or `(1,)` for one sigmoid."""
        (row,) = probabilities_from_logits(logits[np.newaxis], self.manifest.temperature)
        return to_prediction(row, self.manifest.classes, self.manifest.version)


def no_embeddings(version: str) -> ModelRefused:
    return ModelRefused(
        f"The model {version} is no head on a network, and has no embeddings. Choose another with "
        "--model."
    )


class _WithHead:
    """A head on the network that it was made for."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        assert manifest.network is not None
        read_checked(folder, manifest, HEAD)
        found = find_network(manifest.network, network_folders(folder, manifest.network))
        self._network = Network(found)
        self._head = read_head(
            folder, channels=self._network.info.channels, classes=len(manifest.classes)
        )
        self.info = self._network.info
        self.preprocessing = self.info.preprocessing
        self.bytes = self._network.bytes + manifest.files[HEAD].bytes

    def logits(self, photo: Pixels) -> Floats:
        return self.of_embedding(self.embedding(photo))

    def embedding(self, photo: Pixels) -> Embedding:
        return self._network.embedding(photo)

    def of_embedding(self, embedding: Embedding) -> Floats:
        return self._head.logits(embedding)

    def places(self, photo: Pixels) -> tuple[Floats, Floats]:
        feature_map = self._network.feature_map(photo)
        return (
            self._head.logits(self._network.mean(feature_map)),
            self._head.logits(self._network.features(feature_map)),
        )


class _Whole:
    """A network that gives logits by itself, as people train to learn how such networks work."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        assert manifest.preprocessing is not None
        assert manifest.outputs is not None
        self.preprocessing = manifest.preprocessing
        self.bytes = manifest.files[LITERT].bytes
        self._outputs = manifest.outputs
        content = read_checked(folder, manifest, LITERT)
        try:
            self._file = LiteRt(content, manifest.preprocessing.size)
            self._check_outputs(len(manifest.classes))
        except ValueError as error:
            raise ModelRefused(
                f"{display(folder / LITERT)} does not load ({error}). Train or install it again."
            ) from error

    def _check_outputs(self, classes: int) -> None:
        """Raise ValueError if the network does not have the outputs that the manifest names."""
        details, name = self._file.outputs, self._outputs.logits
        if name not in details:
            raise ValueError(f"it has no output {name!r}")
        width = int(details[name]["shape"][-1])
        if width != classes and (width, classes) != (1, 2):
            raise ValueError(f"it has {width} outputs for {classes} classes")

    def logits(self, photo: Pixels) -> Floats:
        logits: Floats = self._file.run(photo)[self._outputs.logits][0]
        return logits

    def places(self, photo: Pixels) -> tuple[Floats, Floats | None]:
        outputs = self._file.run(photo)
        name = self._outputs.activation
        places = outputs[name][0] if name is not None and name in outputs else None
        return outputs[self._outputs.logits][0], places
