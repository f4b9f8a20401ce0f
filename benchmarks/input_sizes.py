"""Accuracy and time at other input sizes, with the same weights: the network fits any.

    python -m benchmarks.input_sizes DATA [--model FOLDER]

DATA holds cats/, dogs/ and other/. Prints the table in docs/model.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.varied import varied
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Preprocessing, stored_size_for
from core.training.evaluate import evaluate
from core.training.examine import milliseconds
from core.training.labelled import scan

SIZES = (64, 96, 128, 144, 160, 192)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    given = parser.parse_args(arguments)
    photos = scan(given.data).photos
    print("| input | right of three classes | told apart | ms a photo |")
    print("|---|---|---|---|")
    for size in SIZES:
        how = Preprocessing(size, stored_size_for(size))
        classifier = varied(given.model, preprocessing=how)
        found = evaluate(classifier, photos).evaluation
        print(
            f"| {size} px | {found.accuracy:.1%} | {found.told_apart:.1%} |"
            f" {milliseconds(classifier):.1f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
