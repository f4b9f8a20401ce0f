"""Photos that are nearly the same never stand on both sides."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.model.preprocessing import Preprocessing
from core.training.data.dataset import is_held_out, load
from core.training.data.labelled import scan
from core.training.data.near_duplicates import difference_hash, nearest


def scene(seed: int) -> Image.Image:
    """A picture with large shapes, as photos have them."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (9, 12, 3), dtype=np.uint8))
    return coarse.resize((240, 180), Image.Resampling.BICUBIC)


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


VARIANTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": lambda image: recompressed(image, 30),
    "scaled": lambda image: image.resize((120, 90)).resize((240, 180)),
    "cut": lambda image: image.crop((2, 2, 238, 178)).resize((240, 180)),
    "brighter": lambda image: image.point(lambda value: min(255, int(value * 1.1))),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
}


def hashes(images: list[Image.Image]) -> np.ndarray:
    return np.array([difference_hash(np.asarray(image)) for image in images], dtype=np.uint64)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_photo_is_found_again_however_it_was_saved(name: str) -> None:
    scenes = [scene(seed) for seed in range(200)]
    varied = hashes([VARIANTS[name](image) for image in scenes])
    found = nearest(varied, hashes(scenes))
    assert (found == np.arange(200)).mean() > 0.8
    assert set(found) <= {-1, *range(200)}


def test_other_photos_are_not_taken_for_the_same() -> None:
    others = hashes([scene(seed) for seed in range(1000, 1400)])
    assert (nearest(others, hashes([scene(seed) for seed in range(400)])) == -1).all()
    assert (nearest(others, np.array([], dtype=np.uint64)) == -1).all()


def test_photos_that_show_nothing_are_not_all_the_same() -> None:
    flat = hashes([Image.new("RGB", (60, 40), (shade,) * 3) for shade in (10, 200)])
    assert (nearest(flat, flat) == -1).all()


def test_a_near_duplicate_of_what_is_held_out_is_not_learnt_from(tmp_path: Path) -> None:
    """It is named; and what is held out stays so."""
    for label, first in (("cats", 0), ("dogs", 100)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for seed in range(first, first + 40):
            scene(seed).save(tmp_path / "data" / label / f"{label}-{seed}.png")
    before = load(scan(tmp_path / "data"), Preprocessing(64, 64), work=tmp_path)
    held_out = before.photos[before.validation[0]].path
    with Image.open(held_out) as image:
        for quality in range(30, 95):  # until one falls among those learnt from
            copy = tmp_path / "data" / held_out.parent.name / f"copy-{quality}.jpg"
            recompressed(image, quality).save(copy, quality=95)
            if not is_held_out_file(copy):
                break
            copy.unlink()
    after = load(scan(tmp_path / "data"), Preprocessing(64, 64), work=tmp_path)
    learnt = {after.photos[row].path for row in after.training}
    assert learnt == {before.photos[row].path for row in before.training}
    (fault,) = after.faults
    assert fault.path == copy
    assert f"nearly the same photo as {held_out}, which is held out" in fault.reason


def is_held_out_file(path: Path) -> bool:
    import hashlib

    return is_held_out(hashlib.sha256(path.read_bytes()).digest())
