"""Does going on from the model that serves pay on another source of photos, and what does it cost?

    python benchmarks/fine_tuning.py DATA --source phone

DATA holds cats/, dogs/ and other/; the source is the first word of a photo's name. Its photos are
halved by their content. For each half the model learns from the cats and dogs in it and
is measured on the other half, and on the photos of all other sources. It exits with 1 if it does
not gain on both other halves, or loses more than half a point on the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.classifier import Classifier
from core.console import Hushed, Terminal
from core.labels import Role
from core.manifest import read_manifest
from core.model_store import DEFAULT_MODEL
from core.training.evaluate import predict_labelled
from core.training.figures import Flags, wilson
from core.training.fine_tune import recipe_for
from core.training.labelled import LabelledFolder, LabelledPhoto, scan
from core.training.run import train
from core.training.sources import source_of

MOST_LOST = 0.005  # of the photos of all other sources


def half_of(photo: LabelledPhoto) -> int:
    """Tell by its content which half a photo is in, 0 or 1."""
    return hashlib.sha256(photo.path.read_bytes()).digest()[-1] & 1


def right(model: Path, photos: Sequence[LabelledPhoto]) -> Flags:
    """Tell of each photo whether the model names it rightly among all its classes."""
    predicted = predict_labelled(Classifier(model), photos)
    found: Flags = predicted.probabilities.argmax(axis=1) == predicted.targets
    return found


def learn(
    photos: Sequence[LabelledPhoto], labelled: LabelledFolder, model: Path, work: Path
) -> Path:
    """Have the model learn from photos, as `catdog train` does. Returns the new model's folder."""
    folders = {one.label: one.folder for one in labelled.classes if one.role is Role.FILE}
    for photo in photos:
        if photo.label in folders:
            folder = work / "data" / folders[photo.label]
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo.path, folder)
    recipe = recipe_for(read_manifest(model))
    console = Hushed(Terminal())
    return train(work / "data", recipe, models_dir=work, console=console, current=model).folder


def line(what: str, before: Flags, after: Flags) -> str:
    """Tell how many are right before and after, and how many changed either way."""
    shares = (
        f"{own.mean():.1%} ({wilson(own)[0] * 100:.1f} to {wilson(own)[1] * 100:.1f})"
        for own in (before, after)
    )
    gained, lost = (after & ~before).sum(), (before & ~after).sum()
    return f"{what}, {len(before)} photos: {' -> '.join(shares)}; {gained} gained, {lost} lost"


def main() -> int:
    """Measure both halves, print, and tell whether it pays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--source", default="phone")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    labelled = scan(arguments.data)
    own = [photo for photo in labelled.photos if source_of(photo.path) == arguments.source]
    if not own:
        parser.error(f"no photo in {arguments.data} is of the source {arguments.source!r}")
    rest = [photo for photo in labelled.photos if source_of(photo.path) != arguments.source]
    rest_before = right(arguments.model, rest)
    pays = True
    for half in (0, 1):
        learnt = [photo for photo in own if half_of(photo) == half]
        other = [photo for photo in own if half_of(photo) != half]
        with tempfile.TemporaryDirectory() as folder:
            model = learn(learnt, labelled, arguments.model, Path(folder))
            before, after = right(arguments.model, other), right(model, other)
            rest_after = right(model, rest)
        print(f"learnt from {len(learnt)} photos of {arguments.source}")
        print("  " + line("the other half", before, after))
        print("  " + line("all other sources", rest_before, rest_after), flush=True)
        lost = float(np.mean(rest_before)) - float(np.mean(rest_after))
        pays = pays and bool(after.sum() > before.sum()) and lost <= MOST_LOST
    print("It pays." if pays else "It does not pay on both halves.")
    return 0 if pays else 1


if __name__ == "__main__":
    sys.exit(main())
