"""The network that all of a person's models share: from a photo to its feature map."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelRefused
from core.model.preprocessing import Pixels, Preprocessing
from core.paths import display
from core.runtime.quiet import quiet_native_stderr

NETWORK = "network.json"
NETWORK_LITERT = "network.tflite"
NETWORK_KERAS = "network.keras"
REPLAY = "replay.npz"
NETWORKS = "networks"  # folder of the models folder: one for each network, by its SHA-256

FeatureMap = npt.NDArray[np.int8]
Embedding = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """network.json: what a network's file does not state."""

    name: str  # of its architecture
    sha256: str  # of network.tflite
    preprocessing: Preprocessing
    channels: int  # of the feature map
    scale: float  # a feature is (int8 - zero_point) * scale
    zero_point: int
    files: dict[str, str]  # SHA-256 of the others, by name
    training: dict[str, Any]  # how it was made: settings, data, curves

    def to_int8(self, embedding: Embedding) -> npt.NDArray[np.int8]:
        """Return an embedding as it is kept, in the scale of the feature map."""
        whole = np.round(embedding / np.float32(self.scale)) + self.zero_point
        kept: npt.NDArray[np.int8] = np.clip(whole, -128, 127).astype(np.int8)
        return kept

    def from_int8(self, kept: npt.NDArray[np.int8]) -> Embedding:
        """Return an embedding that was kept, rounded as it is."""
        return (kept.astype(np.float32) - self.zero_point) * np.float32(self.scale)

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / NETWORK).write_text(text + "\n", encoding="utf-8")


def read_network_info(folder: Path) -> NetworkInfo:
    """Read network.json of a folder. Raises ModelRefused if it is missing or malformed."""
    path = folder / NETWORK
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return NetworkInfo(**{**raw, "preprocessing": Preprocessing(**raw["preprocessing"])})
    except OSError as error:
        raise ModelRefused(
            f"There is no network in {display(folder)}: {NETWORK} cannot be read "
            f"({error.strerror}). Install catdog again, or train again."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused(
            f"{display(path)} is malformed ({error}). Install catdog again, or train again."
        ) from error


def find_network(sha256: str, folders: Iterable[Path]) -> Path:
    """Find the folder of a network by its SHA-256. Raises ModelRefused."""
    searched = list(folders)
    for folder in searched:
        if (folder / NETWORK).is_file() and read_network_info(folder).sha256 == sha256:
            return folder
    raise ModelRefused(
        f"The network {sha256[:8]} that this model was made for is not there: looked in "
        f"{', '.join(map(display, searched))}. Put the folder {NETWORKS}/{sha256} back beside the "
        "models, or train again."
    )


class LiteRt:
    """A LiteRT file that runs on one photo at a time. Safe to share between threads.

    Each thread that runs it while others do gets an interpreter of its own, made when first
    needed (11 MB, 13 ms). A photo goes through alone and on one processor thread: batches were
    measured to be no faster on CPUs.
    """

    def __init__(self, content: bytes, size: int) -> None:
        """`size` is the images' side in pixels. Raises ValueError for another kind of file."""
        self._content = content
        self._size = size
        try:
            with quiet_native_stderr():  # "Created TensorFlow Lite XNNPACK delegate"
                first = self._interpreter()
        except RuntimeError as error:
            raise ValueError(str(error)) from error
        self._idle = deque([first])  # appends and pops are atomic

    @property
    def outputs(self) -> dict[str, Any]:
        """Details of each output, by name: `shape`, `dtype`, `quantization`."""
        details: dict[str, Any] = self._idle[0].get_output_details()
        return details

    def run(self, photo: Pixels) -> dict[str, npt.NDArray[Any]]:
        """Run it on one photo, uint8 of shape `(size, size, 3)`. Raises ValueError for others."""
        if photo.dtype != np.uint8 or photo.shape != (self._size, self._size, 3):
            raise ValueError(
                f"a photo is uint8 of shape ({self._size}, {self._size}, 3). "
                f"Received: {photo.dtype} of shape {photo.shape}"
            )
        try:
            runner = self._idle.pop()
        except IndexError:  # all are busy
            runner = self._interpreter()
        (image,) = runner.get_input_details()
        try:
            outputs: dict[str, npt.NDArray[Any]] = runner(**{image: photo[np.newaxis]})
        finally:
            self._idle.append(runner)
        return outputs

    def _interpreter(self) -> Any:
        """Make a function of the network; it is not safe to call from two threads at once."""
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=self._content, num_threads=1)
        (image,) = interpreter.get_input_details()
        interpreter.resize_tensor_input(image["index"], (1, self._size, self._size, 3))
        interpreter.allocate_tensors()  # now: at the first photo its greeting would be shown
        return interpreter.get_signature_runner()


class Network:
    """A network in 8 bits, loaded for serving."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused if a file is missing, altered or not what network.json says."""
        self.folder = folder
        self.info = read_network_info(folder)
        path = folder / NETWORK_LITERT
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelRefused(
                f"{display(path)} cannot be read ({error.strerror}). Install catdog again, or "
                "train again."
            ) from error
        if hashlib.sha256(content).hexdigest() != self.info.sha256:
            raise ModelRefused(
                f"{display(path)} is not the file that {NETWORK} names: it was altered or "
                "damaged. Install catdog again, or train again."
            )
        self.bytes = len(content)
        try:
            self._file = LiteRt(content, self.info.preprocessing.size)
            (self._output,) = self._file.outputs
            details = self._file.outputs[self._output]
            if details["dtype"] is not np.int8 or details["shape"][-1] != self.info.channels:
                raise ValueError(f"its feature map is not int8 of {self.info.channels} channels")
        except ValueError as error:
            raise ModelRefused(
                f"{display(path)} does not load ({error}). Install catdog again, or train again."
            ) from error

    def feature_map(self, photo: Pixels) -> FeatureMap:
        """Compute the feature map of a preprocessed photo, uint8 `(size, size, 3)`.

        Returns: int8, shape `(h, w, channels)`.
        """
        feature_map: FeatureMap = self._file.run(photo)[self._output][0]
        return feature_map

    def embedding(self, photo: Pixels) -> Embedding:
        """Compute the mean of a photo's feature map over its places, shape `(channels,)`."""
        return self.mean(self.feature_map(photo))

    def mean(self, feature_map: FeatureMap) -> Embedding:
        """Compute the mean of a feature map over its places, in whole numbers, as floats."""
        places = feature_map.shape[0] * feature_map.shape[1]
        total = feature_map.sum(axis=(0, 1), dtype=np.int32).astype(np.float32)
        mean: Embedding = (
            total / np.float32(places) - np.float32(self.info.zero_point)
        ) * np.float32(self.info.scale)
        return mean

    def features(self, feature_map: FeatureMap) -> npt.NDArray[np.float32]:
        """Convert a feature map to floats, shape `(h, w, channels)`."""
        return (feature_map.astype(np.float32) - self.info.zero_point) * np.float32(self.info.scale)
