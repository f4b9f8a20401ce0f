"""What decoding and the network alone take for the photos of a folder: nothing is moved.

    python -m benchmarks.bound FOLDER

One process a core, each with its share of the photos: the decoding that catdog does, and the
network on batches, on one thread. No journal, no checks, no moves, no words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.image import open_image
from core.manifest import LITERT, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Pixels, preprocess
from core.quiet import quiet_native_stderr

_BATCH = 8  # as fast a photo as any larger, measured

Logits = npt.NDArray[np.float32]


class Network:
    """The model's network, for batches of images of one size, on one thread."""

    def __init__(self, size: int, batch: int) -> None:
        with quiet_native_stderr():
            from ai_edge_litert.interpreter import Interpreter

            self._interpreter = Interpreter(str(DEFAULT_MODEL / LITERT), num_threads=1)
            (self._image,) = self._interpreter.get_input_details()
            self._interpreter.resize_tensor_input(self._image["index"], (batch, size, size, 3))
            self._interpreter.allocate_tensors()
        outputs = self._interpreter.get_output_details()
        (self._logits,) = (one for one in outputs if len(one["shape"]) == 2)

    def run(self, batch: Pixels) -> Logits:
        """Compute logits, shape `(n, classes)`."""
        self._interpreter.set_tensor(self._image["index"], batch)
        self._interpreter.invoke()
        found: Logits = self._interpreter.get_tensor(self._logits["index"])
        return found


def classify(photos: Sequence[Path]) -> list[int]:
    """Give the number of each photo's likeliest class."""
    how = read_manifest(DEFAULT_MODEL).preprocessing
    network = Network(how.size, _BATCH)
    batch = np.zeros((_BATCH, how.size, how.size, 3), np.uint8)
    found: list[int] = []
    for start in range(0, len(photos), _BATCH):
        share = photos[start : start + _BATCH]
        for place, photo in enumerate(share):
            batch[place] = preprocess(open_image(photo, min_side=how.stored_size), how)
        found += network.run(batch)[: len(share)].argmax(axis=1).tolist()
    return found


def main(folder: Path) -> None:
    photos = sorted(path for path in folder.iterdir() if path.is_file())
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        found = sum(map(len, pool.map(classify, (photos[core::cores] for core in range(cores)))))
    print(f"{found} photos classified")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
