"""Does the heat map show where the animal is? Ends with 1 if it does in fewer than 80 of 100.

    python benchmarks/heatmap_peaks.py DATA [--model FOLDER]

DATA holds cats/, dogs/ and other/. Photos of cats and dogs are pasted into a random corner of
photos of other/, a quarter of their area, and the map of the class that is theirs must have its
peak inside. `--scenes WORD` takes only files of other/ whose names hold the word, so that
no other animal stands in the scene.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from core.images.decode import open_image
from core.images.listing import list_photos
from core.model.classifier import Classifier
from core.model.registry import DEFAULT_MODEL

LINE = 80  # of 100
_SIDE = 512  # pixels of a scene
_Random = np.random.Generator


def into_a_corner(
    scene: Image.Image, photo: Image.Image, random: _Random
) -> tuple[Image.Image, tuple[int, int]]:
    """Paste a photo over a quarter of a scene.

    Returns: the square scene with it, and which half across and down it covers, each 0 or 1.
    """
    shown = scene.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    across, down = (int(half) for half in random.integers(2, size=2))
    half = _SIDE // 2
    shown.paste(photo.resize((half, half), Image.Resampling.LANCZOS), (across * half, down * half))
    return shown, (across, down)


def peak(heat: np.ndarray) -> tuple[float, float]:
    """Find the middle of the map's highest place, across and down, 0 to 1."""
    down, across = np.unravel_index(int(heat.argmax()), heat.shape)
    return (float(across) + 0.5) / heat.shape[1], (float(down) + 0.5) / heat.shape[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--scenes", default="", metavar="WORD")
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    classifier = Classifier(given.model)
    manifest = classifier.manifest
    random = np.random.default_rng(given.seed)
    scenes = [path for path in _photos(given.data / "other") if given.scenes in path.name]
    animals = [
        (path, label)
        for label, folder in (("cat", "cats"), ("dog", "dogs"))
        for path in _photos(given.data / folder)
    ]
    hits = 0
    for number in random.permutation(len(animals))[: given.photos]:
        path, label = animals[number]
        scene = open_image(scenes[random.integers(len(scenes))], min_side=_SIDE)
        shown, corner = into_a_corner(scene, open_image(path, min_side=_SIDE // 2), random)
        _, heat = classifier.explain(partial(_as_it_is, shown), label=label)
        if heat is None:
            sys.exit(f"the model {manifest.version} has no map of what it looks at")
        found = peak(heat)
        hits += all(place // 0.5 == half for place, half in zip(found, corner, strict=True))
    share = hits / given.photos
    print(f"the peak was inside the pasted photo in {hits} of {given.photos}")
    return 0 if share * 100 >= LINE else 1


def _as_it_is(image: Image.Image, _: int) -> Image.Image:
    return image


def _photos(folder: Path) -> list[Path]:
    return sorted(list_photos(folder, recursive=True))


if __name__ == "__main__":
    sys.exit(main())
