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

from core.manifest import LITERT, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import load_photo
from core.quiet import quiet_native_stderr

_BATCH = 8  # as fast a photo as any larger, measured


def classify(photos: Sequence[Path]) -> list[int]:
    """Give the number of each photo's likeliest class."""
    with quiet_native_stderr():
        from ai_edge_litert.interpreter import Interpreter

        network = Interpreter(str(DEFAULT_MODEL / LITERT), num_threads=1)
        manifest = read_manifest(DEFAULT_MODEL)
        size = manifest.preprocessing.size
        (image,) = network.get_input_details()
        network.resize_tensor_input(image["index"], (_BATCH, size, size, 3))
        network.allocate_tensors()
    (logits,) = (one for one in network.get_output_details() if len(one["shape"]) == 2)
    batch = np.zeros((_BATCH, size, size, 3), np.uint8)
    found: list[int] = []
    for start in range(0, len(photos), _BATCH):
        share = photos[start : start + _BATCH]
        for place, photo in enumerate(share):
            batch[place] = load_photo(photo, manifest.preprocessing)
        network.set_tensor(image["index"], batch)
        network.invoke()
        found += network.get_tensor(logits["index"])[: len(share)].argmax(axis=1).tolist()
    return found


def main(folder: Path) -> None:
    photos = sorted(path for path in folder.iterdir() if path.is_file())
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        found = sum(map(len, pool.map(classify, (photos[core::cores] for core in range(cores)))))
    print(f"{found} photos classified")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
