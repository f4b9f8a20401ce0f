"""What it takes and what it costs to serve weights in 8 bits.

    python -m benchmarks.weights DATA LEARNT [--model FOLDER]

DATA holds cats/, dogs/ and other/; so does LEARNT, whose photos the rounding is fitted to. Measured
with the model's own network, at its temperature and threshold. Prints the table in docs/model.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.varied import varied
from core.image import open_image
from core.manifest import LITERT, Manifest, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Pixels, preprocess
from core.training.dataset import spread
from core.training.evaluate import evaluate
from core.training.examine import milliseconds
from core.training.export import to_litert
from core.training.fine_tune import read_network
from core.training.labelled import LabelledPhoto, scan
from core.training.package import ROUNDING_PHOTOS
from core.training.quantize import FEWEST_WEIGHTS, quantize

LARGEST = 32_768  # weights: nine in ten of the default network's are in kernels of so many


def weights_to_try(model: Path, learnt: Pixels, work: Path) -> dict[str, bytes]:
    """Make LiteRT models of the network, by what is said of their weights in the table."""
    to_litert(read_network(model), work / LITERT, half=True)
    whole = (work / LITERT).read_bytes()
    tried = {"16 bits": whole}
    for what, fewest in (
        ("the largest convolutions 8 bits", LARGEST),
        ("large convolutions 8 bits", FEWEST_WEIGHTS),
    ):
        for how, photos in (("the nearest", learnt[:0]), ("photos", learnt)):
            smaller = quantize(whole, photos, fewest_weights=fewest)
            if smaller is not None:
                tried[f"{what}, rounded by {how}"] = smaller
    return tried


def seen(photos: Sequence[LabelledPhoto], manifest: Manifest, most: int) -> Pixels:
    """Preprocess some, spread over all."""
    how = manifest.preprocessing
    paths = [photos[row].path for row in spread(np.arange(len(photos)), most)]
    return np.stack([preprocess(open_image(path, min_side=how.stored_size), how) for path in paths])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("learnt", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    given = parser.parse_args(arguments)
    manifest = read_manifest(given.model)
    photos = scan(given.data).photos
    print(
        "| weights | MB | ms a look | right of three classes | filed rightly | of neither filed |"
        " probabilities change by, at most for 99 of 100 |"
    )
    print("|---|---|---|---|---|---|---|")
    before = None
    with TemporaryDirectory() as name:
        learnt = seen(scan(given.learnt).photos, manifest, ROUNDING_PHOTOS)
        for what, content in weights_to_try(given.model, learnt, Path(name)).items():
            classifier = varied(given.model, content)
            measured = evaluate(classifier, photos)
            found, probabilities = measured.evaluation, measured.predicted.probabilities
            before = probabilities if before is None else before
            gap = np.quantile(np.abs(probabilities - before).max(axis=1), 0.99)
            print(
                f"| {what} | {len(content) / 1e6:.2f} |"
                f" {milliseconds(classifier):.1f} |"
                f" {found.accuracy:.1%} | {found.filed_right or 0:.1%} |"
                f" {found.neither_filed or 0:.1%} | {gap:.4f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
