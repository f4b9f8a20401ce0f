"""What decoding and the model alone take for the photos of a folder: nothing is moved.

    python -m benchmarks.bound FOLDER

One process a core, each with its share of the photos: the decoding that catdog does, the network
on one thread, and its head. No journal, no checks, no moves, no words.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from core.images.decode import open_image
from core.model.head import read_head
from core.model.manifest import read_manifest
from core.model.network import Network
from core.model.preprocessing import preprocess
from core.model.registry import DEFAULT_MODEL, OWN_NETWORK


def classify(photos: Sequence[Path]) -> list[int]:
    """Give the number of each photo's likeliest class."""
    network = Network(DEFAULT_MODEL / OWN_NETWORK)
    how = network.info.preprocessing
    classes = read_manifest(DEFAULT_MODEL).classes
    head = read_head(DEFAULT_MODEL, channels=network.info.channels, classes=len(classes))
    found: list[int] = []
    for photo in photos:
        pixels = preprocess(open_image(photo, min_side=how.decoded_side), how)
        found.append(int(head.logits(network.embedding(pixels)).argmax()))
    return found


def main(folder: Path) -> None:
    photos = sorted(path for path in folder.iterdir() if path.is_file())
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        found = sum(map(len, pool.map(classify, (photos[core::cores] for core in range(cores)))))
    print(f"{found} photos classified")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
