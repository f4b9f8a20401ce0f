"""What a second look at photos in doubt brings, and what it takes.

    python -m benchmarks.second_look DATA [--model FOLDER]

DATA holds cats/, dogs/ and other/. Measured with the network that serves, at its temperature and
threshold, but for which photos are looked at again, at which size, and how much that counts. Prints
the table in docs/model.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.varied import varied
from core.classifier import Classifier
from core.image import open_image
from core.lookahead import map_ahead
from core.manifest import Manifest, read_manifest
from core.model_store import DEFAULT_MODEL
from core.preprocessing import Pixels, preprocess, stored_size_for
from core.probabilities import probabilities_from_logits
from core.second_look import Logits, SecondLook
from core.training.examine import milliseconds
from core.training.figures import figures
from core.training.labelled import LabelledPhoto, scan

ALWAYS = 1e9  # of logits
MARGINS = (2.0, 3.0, 4.0, ALWAYS)
FACTORS = (0.7, 0.85, 1.0, 1.15)  # times the model's own second look
WEIGHTS = (0.5, 0.7, 1.0)
_STEP = 16  # pixels


def looks_to_try(own: SecondLook) -> list[SecondLook | None]:
    """List none, and the model's own with another size, another margin or another weight."""
    sizes = [round(own.size * factor / _STEP) * _STEP for factor in FACTORS]
    tried = [
        *(replace(own, size=size, stored_size=stored_size_for(size)) for size in sizes),
        *(replace(own, margin=margin) for margin in MARGINS),
        *(replace(own, weight=weight) for weight in WEIGHTS),
    ]
    return [None, *dict.fromkeys(tried)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    given = parser.parse_args(arguments)
    manifest = read_manifest(given.model)
    how = manifest.preprocessing
    if manifest.second_look is None:
        parser.error(f"the model {manifest.version} looks at each photo once")
    photos = scan(given.data).photos
    pixels = partial(preprocess, preprocessing=how)
    first = _logits(Classifier(given.model), photos, pixels, how.stored_size)
    seen: dict[int, tuple[Logits, float]] = {}  # by size: of a second look at all, its milliseconds
    print(
        "| second look | margins under | it counts | photos | right of three classes | told apart "
        "| filed rightly | of neither filed | ms more a photo |\n" + "|---" * 9 + "|"
    )
    for look in looks_to_try(manifest.second_look):
        if look is not None and look.size not in seen:
            seen[look.size] = _second(given.model, look, photos)
        closer, taken = seen[look.size] if look else (first, 0.0)
        print(_row(manifest, look, photos, first, closer, taken), flush=True)
    return 0


def _second(model: Path, look: SecondLook, photos: Sequence[LabelledPhoto]) -> tuple[Logits, float]:
    """Look at all photos as a second look does. Returns: logits, and the milliseconds of one."""
    classifier = varied(model, second_look=look)
    logits = _logits(classifier, photos, look.pixels, look.stored_size)
    return logits, milliseconds(classifier, look.size)


def _logits(
    classifier: Classifier,
    photos: Sequence[LabelledPhoto],
    pixels: Callable[[Image.Image], Pixels],
    stored_size: int,
) -> Logits:
    def look(photo: LabelledPhoto) -> Logits:
        image = open_image(photo.path, min_side=stored_size)
        logits: Logits = classifier.logits(pixels(image)[np.newaxis])[0]
        return logits

    return np.stack([logits for _, logits in map_ahead(look, photos)])


def _row(
    manifest: Manifest,
    look: SecondLook | None,
    photos: Sequence[LabelledPhoto],
    first: Logits,
    closer: Logits,
    taken: float,
) -> str:
    logits, again = first, np.zeros(len(first), bool)
    size, margin, weight = "none", "", ""
    if look is not None:
        again = np.array([look.is_due(row[np.newaxis]) for row in first])
        logits = np.where(again[:, np.newaxis], look.combined(first, closer), first)
        size, weight = f"{look.size} px", f"{look.weight:.0%}"
        margin = "any" if look.margin == ALWAYS else f"{look.margin:g}"
    found = figures(
        probabilities_from_logits(logits, manifest.temperature),
        np.array([manifest.labels.index(photo.label) for photo in photos]),
        manifest.classes,
        manifest.threshold,
    )
    return (
        f"| {size} | {margin} | {weight} | {again.mean():.0%} | {found.accuracy:.1%} |"
        f" {found.told_apart:.1%} | {found.filed_right:.1%} | {found.neither_filed:.1%} |"
        f" {again.mean() * taken:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
