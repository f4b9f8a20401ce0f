"""What a second look at photos in doubt brings, and what it takes.

    python -m benchmarks.second_look DATA [--model FOLDER]

DATA holds cats/, dogs/ and other/. Measured as served, but for which photos are looked at again,
and at which size. Prints the table in docs/model.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.classifier import Classifier
from core.inference import predict_photos
from core.manifest import LITERT, read_manifest
from core.model_store import DEFAULT_MODEL
from core.prediction import Prediction
from core.preprocessing import stored_size_for
from core.second_look import SecondLook
from core.training.examine import milliseconds
from core.training.figures import figures
from core.training.labelled import LabelledPhoto, scan

ALWAYS = 1e9  # of logits
MARGINS = (1.5, 3.0, ALWAYS)
FACTORS = (1.0, 1.2, 1.4, 1.6)  # times the first look's size
_STEP = 16  # pixels


def looks_to_try(own: SecondLook, first: int) -> list[SecondLook | None]:
    """List none, the model's own margin at other sizes, and its own size at other margins."""
    sizes = [round(first * factor / _STEP) * _STEP for factor in FACTORS]
    by_size = [replace(own, size=size, stored_size=stored_size_for(size)) for size in sizes]
    by_margin = [replace(own, margin=margin) for margin in MARGINS]
    return [None, *dict.fromkeys([*by_size, *by_margin])]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    given = parser.parse_args(arguments)
    manifest = read_manifest(given.model)
    if manifest.second_look is None:
        parser.error(f"the model {manifest.version} looks at each photo once")
    photos = scan(given.data).photos
    print(
        "| second look | margins under | photos | right of three classes | told apart | filed "
        "rightly | of neither filed | ms more a photo |\n|---|---|---|---|---|---|---|---|"
    )
    for look in looks_to_try(manifest.second_look, manifest.preprocessing.size):
        with TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(given.model / LITERT, folder)
            replace(manifest, second_look=look).write(folder)
            print(_row(Classifier(folder), look, photos), flush=True)
    return 0


def _row(classifier: Classifier, look: SecondLook | None, photos: Sequence[LabelledPhoto]) -> str:
    manifest = classifier.manifest
    answers = predict_photos(classifier, [photo.path for photo in photos])
    seen = [
        (answer.outcome, manifest.labels.index(photo.label))
        for photo, answer in zip(photos, answers, strict=True)
        if isinstance(answer.outcome, Prediction)
    ]
    found = figures(
        np.array([list(prediction.probabilities.values()) for prediction, _ in seen]),
        np.array([target for _, target in seen]),
        manifest.classes,
        manifest.threshold,
    )
    again = float(np.mean([prediction.looks > 1 for prediction, _ in seen]))
    size, margin, more = "none", "", 0.0
    if look is not None:
        size = f"{look.size} px"
        margin = "any" if look.margin == ALWAYS else f"{look.margin:g}"
        more = again * milliseconds(classifier, look.size)
    return (
        f"| {size} | {margin} | {again:.0%} | {found.accuracy:.1%} | {found.told_apart:.1%} |"
        f" {found.filed_right:.1%} | {found.neither_filed:.1%} | {more:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
