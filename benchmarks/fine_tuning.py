"""Does going on from the model that serves pay on another source of photos, and what does it cost?

    python benchmarks/fine_tuning.py DATA --source phone [--night]

DATA holds cats/, dogs/ and other/; the source is the first word of a photo's name. Its photos are
halved by their content. For each half the model learns from the cats and dogs in it and
is measured on the other half, and on the photos of all other sources. It exits with 1 if it does
not name more of both other halves rightly, or loses more than half a point on the rest.

With --night the source's photos are shown as a camera sees them in a dark room: grey, dim, small
and noisy, darker towards the corners. That is unlike all that the model knows; the photos as they
are count among the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance
from scipy.stats import bootstrap

from core.classifier import Classifier
from core.console import Hushed, Terminal
from core.image import open_image
from core.labels import Role
from core.manifest import read_manifest
from core.model_store import DEFAULT_MODEL
from core.training.evaluate import predict_labelled
from core.training.figures import Flags, confidence_to_file, wilson
from core.training.fine_tune import recipe_for
from core.training.labelled import LabelledFolder, LabelledPhoto, scan
from core.training.run import train
from core.training.sources import source_of

MOST_LOST = 0.005  # of the rest
_RESAMPLED = 2_000  # times
_NIGHT_SIDE = 110  # pixels, the shorter
_NIGHT_NOISE = 9.0  # standard deviation, of 255


def half_of(photo: LabelledPhoto) -> int:
    """Tell by its content which half a photo is in, 0 or 1."""
    return hashlib.sha256(photo.path.read_bytes()).digest()[-1] & 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model makes of photos, at its own threshold: a flag for each."""

    named: Flags  # rightly, among all its classes
    filed: Flags  # in the right folder
    misfiled: Flags  # in a wrong one
    losses: npt.NDArray[np.float64]  # cross-entropy, in nats


def look(model: Path, photos: Sequence[LabelledPhoto]) -> Seen:
    """Have a model predict photos, and tell what it would file."""
    manifest = read_manifest(model)
    predicted = predict_labelled(Classifier(model), photos)
    named: Flags = predicted.probabilities.argmax(axis=1) == predicted.targets
    filed = confidence_to_file(predicted.probabilities, manifest.classes) >= manifest.threshold
    of_label = predicted.probabilities[np.arange(len(photos)), predicted.targets]
    losses = -np.log(np.maximum(of_label, 1e-9))
    return Seen(named, filed & named, filed & ~named, losses)


def by_night(photo: LabelledPhoto, folder: Path) -> LabelledPhoto:
    """Show a photo as a camera sees it in a dark room, in a file of its own in `folder`."""
    image = open_image(photo.path, min_side=_NIGHT_SIDE).convert("L")
    scale = _NIGHT_SIDE / min(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = ImageEnhance.Contrast(image.resize(size, Image.Resampling.BILINEAR)).enhance(0.7)
    pixels = np.asarray(image, np.float64) / 2
    rows, columns = (np.linspace(-0.5, 0.5, side) ** 2 for side in pixels.shape)
    pixels *= 1.25 - 1.3 * (rows[:, np.newaxis] + columns)
    random = np.random.default_rng(list(photo.path.name.encode()))
    pixels += random.normal(0, _NIGHT_NOISE, pixels.shape)
    shown = folder / photo.label / f"{photo.path.stem}.jpg"
    shown.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(shown, quality=40)
    return replace(photo, path=shown)


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


def lines(what: str, before: Seen, after: Seen) -> Iterator[str]:
    """Tell how many photos there are of each kind before and after, and how many changed."""
    for kind, verb in (
        ("named", "named rightly"),
        ("filed", "filed rightly"),
        ("misfiled", "filed wrongly"),
    ):
        own, later = getattr(before, kind), getattr(after, kind)
        shares = (
            f"{flags.mean():.1%} ({wilson(flags)[0] * 100:.1f} to {wilson(flags)[1] * 100:.1f})"
            for flags in (own, later)
        )
        came, went = (later & ~own).sum(), (own & ~later).sum()
        yield f"{what}, {len(own)} photos, {verb}: {' -> '.join(shares)}; +{came} -{went}"
    change = after.losses - before.losses
    found = bootstrap((change,), np.mean, n_resamples=_RESAMPLED, method="percentile", rng=0)
    low, high = found.confidence_interval
    yield (
        f"{what}, cross-entropy: {before.losses.mean():.3f} -> {after.losses.mean():.3f}; "
        f"{change.mean():+.3f} ({low:+.3f} to {high:+.3f})"
    )


def main() -> int:
    """Measure both halves, print, and tell whether it pays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--source", default="phone")
    parser.add_argument("--night", action="store_true", help="show its photos as in a dark room")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    labelled = scan(arguments.data)
    own = [photo for photo in labelled.photos if source_of(photo.path) == arguments.source]
    if not own:
        parser.error(f"no photo in {arguments.data} is of the source {arguments.source!r}")
    rest = [
        photo
        for photo in labelled.photos
        if arguments.night or source_of(photo.path) != arguments.source
    ]
    rest_before = look(arguments.model, rest)
    pays = True
    for half in (0, 1):
        learnt = [photo for photo in own if half_of(photo) == half]
        other = [photo for photo in own if half_of(photo) != half]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if arguments.night:
                learnt = [by_night(photo, folder / "night") for photo in learnt]
                other = [by_night(photo, folder / "night") for photo in other]
            model = learn(learnt, labelled, arguments.model, folder)
            before, after = look(arguments.model, other), look(model, other)
            rest_after = look(model, rest)
        print(f"learnt from {len(learnt)} photos of {arguments.source}")
        for told in (
            *lines("the other half", before, after),
            *lines("the rest", rest_before, rest_after),
        ):
            print(f"  {told}", flush=True)
        lost = float(np.mean(rest_before.named)) - float(np.mean(rest_after.named))
        pays = pays and bool(after.named.sum() > before.named.sum()) and lost <= MOST_LOST
    print("It pays." if pays else "It does not pay on both halves.")
    return 0 if pays else 1


if __name__ == "__main__":
    sys.exit(main())
