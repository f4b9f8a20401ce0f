"""Accuracy and time at other input sizes, with the same weights: the network fits any.

    python -m benchmarks.input_sizes DATA [--model FOLDER]

DATA holds cats/, dogs/ and other/. Prints the table in docs/model.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.classifier import Classifier
from core.manifest import LITERT, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Preprocessing, stored_size_for
from core.training.evaluate import evaluate
from core.training.examine import milliseconds
from core.training.labelled import scan

SIZES = (64, 96, 128, 144, 160, 192)


def classifier_for(model: Path, size: int, folder: Path) -> Classifier:
    """Make a model that sees photos of that size, in pixels, of the one in the folder `model`."""
    shutil.copy(model / LITERT, folder)
    how = Preprocessing(size, stored_size_for(size))
    replace(read_manifest(model), preprocessing=how, second_look=None).write(folder)
    return Classifier(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    given = parser.parse_args(arguments)
    photos = scan(given.data).photos
    print("| input | right of three classes | told apart | ms a photo |")
    print("|---|---|---|---|")
    for size in SIZES:
        with TemporaryDirectory() as name:
            classifier = classifier_for(given.model, size, Path(name))
            found = evaluate(classifier, photos).evaluation
            print(
                f"| {size} px | {found.accuracy:.1%} | {found.told_apart:.1%} |"
                f" {milliseconds(classifier, size):.1f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
