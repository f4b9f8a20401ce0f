"""Where the time of a prediction goes: decoding, resizing, the model.

    python -m benchmarks.stages [--photos FOLDER] [--number 200] [--long-side 640]

On one thread, with everything loaded, one photo after another as they come: what a stage takes so
is up to half as long again as what it takes in a loop of its own, where the caches are warm.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.photos import find_photos, jpegs_of
from core.images.decode import opener
from core.model.classifier import Classifier
from core.model.preprocessing import preprocess
from core.model.registry import DEFAULT_MODEL

_ROUNDS = 3

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage takes."""

    name: str
    milliseconds: float  # a photo, on average


def timed(classifier: Classifier, content: bytes) -> tuple[Logits, dict[str, float]]:
    """Go the steps of `Classifier.classify`. Returns: the logits, and each step's seconds."""
    how = classifier.preprocessing
    taken: dict[str, float] = {}
    begun = time.perf_counter()

    def ended(name: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        taken[name] = now - begun
        begun = now

    image = opener(content)(how.decoded_side)
    ended("decoding")
    pixels = preprocess(image, how)
    ended("resizing")
    logits = classifier.logits(pixels[np.newaxis])
    ended("the model")
    return logits, taken


def stages(classifier: Classifier, photos: Iterable[bytes]) -> list[Stage]:
    """Time photos one after another, and put together what each stage takes."""
    found: dict[str, list[float]] = {}
    for content in photos:
        _, taken = timed(classifier, content)
        for name, seconds in taken.items():
            found.setdefault(name, []).append(seconds)
    return [Stage(name, statistics.mean(seconds) * 1e3) for name, seconds in found.items()]


def table(found: Iterable[Stage]) -> str:
    """Write stages as a table."""
    lines = ["| stage | ms a photo |", "| --- | --- |"]
    total = 0.0
    for stage in found:
        total += stage.milliseconds
        lines.append(f"| {stage.name} | {stage.milliseconds:.2f} |")
    return "\n".join([*lines, f"| all | {total:.2f} |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--long-side", type=int, default=640, help="pixels  [default: 640]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = itertools.islice(find_photos(given.photos, Path(folder)), given.number)
        photos = list(jpegs_of([*chosen], given.long_side))
    classifier = Classifier(DEFAULT_MODEL)
    stages(classifier, photos[:20])  # what the first looks alone do
    print(table(stages(classifier, photos * _ROUNDS)))


if __name__ == "__main__":
    main()
