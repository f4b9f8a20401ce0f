"""Do previews change decisions? By photos that the model did not learn from, as a camera's.

    python -m benchmarks.previews DATA [--leave-out SOURCE] [--photos 6000] [--write]

DATA is the folder that the model was trained on, with the same sources left out: what training
held out, and these sources, are enlarged to a camera's JPEG and to a phone's HEIC with a preview,
and decided about both ways. A format may be used if at least 99.9 % of the decisions are the same,
by the 95 % interval, of at least 5,000. With --write the model's manifest then says so, and `sort`
and `watch` make use of it. Ends with 1 unless both may be used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.photos import camera_photo, phone_heic
from core.classifier import Classifier
from core.inference import predict_photo
from core.labels import Role
from core.manifest import read_manifest
from core.model_store import DEFAULT_MODEL
from core.prediction import decide
from core.preview import read_preview
from core.training.dataset import is_held_out
from core.training.figures import wilson
from core.training.labelled import scan
from core.training.sources import source_of
from sorter.previews import look_at_preview

FEWEST = 5_000
SAME = 0.999
# how photos are made, and their pixels: many times as quickly made and decoded as 12 megapixels
FORMATS: dict[str, tuple[Callable[[Path, int, tuple[int, int]], bytes], tuple[int, int]]] = {
    "JPEG": (camera_photo, (1600, 1200)),
    "HEIF": (phone_heic, (800, 600)),
}
LIMITS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo, decided about in full, and what its preview says."""

    filed: bool
    likeliest_filed: float  # by the preview, 0 to 1; 1 without one


def look(photo: Path, seed: int, name: str, model: Path, folder: Path) -> Seen:
    """Make a camera's file of a photo, of the format of this name, and look at it both ways."""
    classifier = _classifier(model)
    manifest = classifier.manifest
    path = folder / f"{seed}.{name.lower()}"
    make, size = FORMATS[name]
    path.write_bytes(make(photo, seed, size))
    full = decide(predict_photo(classifier, path), manifest.threshold)
    preview = read_preview(path)
    glimpse = None if preview is None else look_at_preview(classifier, preview)
    path.unlink()
    return Seen(
        filed=full.is_sure and manifest.class_of(full.label).role is Role.FILE,
        likeliest_filed=1.0 if glimpse is None else glimpse.likeliest_filed,
    )


@cache
def _classifier(model: Path) -> Classifier:
    return Classifier(model)


def held_out(data: Path, leave_out: Sequence[str]) -> list[Path]:
    """List what a training on `data` did not learn from."""
    return [
        photo.path
        for photo in scan(data).photos
        if source_of(photo.path) in leave_out
        or is_held_out(hashlib.sha256(photo.path.read_bytes()).digest())
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--leave-out", action="append", default=[])
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    photos = held_out(given.data, given.leave_out)[: given.photos]
    if not photos:
        parser.error(f"a training on {given.data} would hold no photo out")
    found = {}
    for name in FORMATS:
        with TemporaryDirectory() as folder, ProcessPoolExecutor(os.cpu_count()) as pool:
            work = partial(look, name=name, model=given.model, folder=Path(folder))
            seen = list(pool.map(work, photos, range(len(photos)), chunksize=8))
        with_preview = sum(one.likeliest_filed < 1 for one in seen)
        print(f"{name}: {len(seen)} photos, {with_preview} with a preview that is used")
        proven = prove(seen)
        if proven is None:
            print(f"No limit leaves {SAME:.1%} of the decisions of {FEWEST} photos the same.")
        else:
            print(json.dumps(proven), flush=True)
            found[name] = proven
    if given.write and found:
        replace(read_manifest(given.model), previews=found).write(given.model)
    return 0 if len(found) == len(FORMATS) else 1


def prove(seen: Sequence[Seen]) -> dict[str, float] | None:
    """Tell how much previews change by each limit. Returns: the highest that changes little."""
    proven = None
    filed = np.array([one.filed for one in seen])
    likeliest = np.array([one.likeliest_filed for one in seen])
    for limit in LIMITS:
        stays = likeliest < limit
        differs = filed & stays
        same = float(1 - differs.mean())
        _, most = wilson(differs)
        print(
            f"limit {limit:g}: {same:.3%} of the decisions the same ({differs.sum()} differ, at "
            f"most {most:.3%} do); of the photos that stay, {stays[~filed].mean():.1%} are not "
            "decoded"
        )
        if proven is None and len(seen) >= FEWEST and most <= 1 - SAME:
            proven = {"limit": limit, "photos": len(seen), "same": same, "at_most_differ": most}
    return proven


if __name__ == "__main__":
    sys.exit(main())
